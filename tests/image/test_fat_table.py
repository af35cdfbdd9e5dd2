from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from station.image.block import BytesBlock
from station.image.fat import FatBlock

FAT_ENTRIES = 300
END = 0x0FFFFFFF

chain_lengths = st.lists(st.integers(1, 40), max_size=7)
cuts = st.lists(st.integers(0, FAT_ENTRIES), max_size=8)


def block_of(lengths: list[int]) -> FatBlock:
    ends = (1 + np.cumsum(lengths, dtype=np.int64)).astype(np.uint32)
    return FatBlock(FAT_ENTRIES * 4, ends)


def naive_table(lengths: list[int]) -> list[int]:
    table = [0x0FFFFFF8, END]
    for length in lengths:
        first = len(table)
        table += [*range(first + 1, first + length), END]
    return table + [0] * (FAT_ENTRIES - len(table))


@given(chain_lengths)
def test_every_cluster_points_to_the_next_one_of_its_chain(lengths: list[int]) -> None:
    block = block_of(lengths)
    rendered = block.render(0, block.length_bytes)

    assert np.frombuffer(rendered, dtype="<u4").tolist() == naive_table(lengths)


@given(chain_lengths, cuts)
def test_pieces_put_together_are_the_whole(lengths: list[int], where: list[int]) -> None:
    block = block_of(lengths)
    borders = sorted({0, FAT_ENTRIES, *where})
    pieces = [block.render(low * 4, (high - low) * 4).tobytes() for low, high in pairwise(borders)]

    assert b"".join(pieces) == block.render(0, block.length_bytes).tobytes()


def test_the_fat_of_2_tb_is_rendered_where_it_is_needed_and_nowhere_else() -> None:
    last_cluster = 61_000_000
    block = FatBlock(256 << 20, np.array([2, last_cluster], dtype=np.uint32))
    entries = np.frombuffer(block.render((last_cluster - 1) * 4, 16), dtype="<u4").tolist()

    assert entries == [last_cluster, END, 0, 0]


@given(st.binary(max_size=64), st.integers(0, 64), st.integers(0, 64))
def test_a_block_of_bytes_gives_any_piece_of_itself(data: bytes, offset: int, length: int) -> None:
    block = BytesBlock(data)

    assert block.length_bytes == len(data)
    assert block.render(offset, length) == data[offset : offset + length]
