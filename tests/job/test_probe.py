from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.job.stamp import (
    BLOCK_BYTES,
    Answer,
    Held,
    conclude,
    probe_positions,
    read_stamp,
    stamp_of,
)
from station.units import MIB
from tests.job.counterfeits import F3_GEOMETRIES, HONEST, OWN_GEOMETRIES, Liar, unmask

SALT = bytes(range(16))
WITH_A_CACHE = {
    "wraparound, 32 MiB of cache",
    "chain, 512 MiB of cache",
    "a real limbo drive, 256 MiB of cache",
    "devil drive, 1 GiB of cache",
}
WITHOUT_A_CACHE = sorted({**F3_GEOMETRIES, **OWN_GEOMETRIES}.keys() - WITH_A_CACHE)
LIARS = {**F3_GEOMETRIES, **OWN_GEOMETRIES}
capacities = st.integers(34 * MIB // 512, 2 * 10**12 // 512).map(lambda sectors: sectors * 512)


@pytest.mark.parametrize("name", [n for n in WITHOUT_A_CACHE if "no power of two" not in n])
def test_a_counterfeit_is_found_before_the_load_and_its_real_size_named(
    name: str, tmp_path: Path
) -> None:
    found = unmask(LIARS[name], tmp_path)

    assert found.loaded_bytes == 0
    assert found.detail.startswith("says ")


@pytest.mark.parametrize("joined_at", [0.0, 0.003, 0.4, 0.97])
@pytest.mark.parametrize("name", sorted(WITH_A_CACHE))
def test_a_cache_in_front_only_delays_it_until_the_load_has_flooded_the_cache(
    name: str, joined_at: float, tmp_path: Path
) -> None:
    found = unmask(LIARS[name], tmp_path, joined_at=joined_at)

    assert found.loaded_bytes is not None
    assert found.loaded_bytes > 0


@pytest.mark.parametrize("joined_at", [0.0, 0.4, 0.97])
@pytest.mark.parametrize("capacity_bytes", HONEST)
def test_an_honest_stick_is_never_accused_and_takes_a_few_dozen_blocks(
    capacity_bytes: int, joined_at: float, tmp_path: Path
) -> None:
    found = unmask(Liar(capacity_bytes), tmp_path, load_bytes=200 * MIB, joined_at=joined_at)

    assert found.loaded_bytes is None
    assert found.written_blocks < 100


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("wraparound", "says 17.2 GB, holds 2.15 GB"),
        ("wraparound of a small stick", "says 537 MB, holds 134 MB"),
    ],
)
def test_the_real_size_of_what_wraps_round_is_exact(name: str, told: str, tmp_path: Path) -> None:
    assert unmask(LIARS[name], tmp_path).detail == told


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("wraparound at no power of two", "says 8 GB, holds less than "),
        ("chain, 512 MiB of cache", "says 34.4 GB, holds less than "),
    ],
)
def test_of_what_is_found_during_the_load_alone_only_a_limit_is_told(
    name: str, told: str, tmp_path: Path
) -> None:
    assert unmask(LIARS[name], tmp_path).detail.startswith(told)


@given(capacities, st.integers())
def test_stamps_lie_apart_inside_the_drive_and_never_on_a_whole_mebibyte(
    capacity_bytes: int, seed: int
) -> None:
    positions = probe_positions(capacity_bytes, Random(seed))

    assert positions == sorted(set(positions))
    assert all(at + BLOCK_BYTES <= capacity_bytes for at in positions)
    assert all(at % BLOCK_BYTES == 0 and at % MIB for at in positions)
    assert positions[-1] >= capacity_bytes - 3 * BLOCK_BYTES
    assert len(positions) < 50


@given(capacities, st.integers(), st.data())
def test_two_stamps_meet_on_any_drive_that_wraps_at_a_power_of_two(
    capacity_bytes: int, seed: int, data: st.DataObject
) -> None:
    positions = probe_positions(capacity_bytes, Random(seed))
    wrap_bytes = MIB << data.draw(st.integers(0, 40))
    if wrap_bytes + MIB > capacity_bytes:
        return

    assert len({at % wrap_bytes for at in positions}) < len(positions)


@given(st.integers(0, 2**41 // BLOCK_BYTES))
def test_a_stamp_names_its_position_and_nothing_else_passes_for_it(block: int) -> None:
    position = block * BLOCK_BYTES
    stamp = stamp_of(SALT, position)
    other = stamp_of(bytes(16), position)
    torn = stamp[: BLOCK_BYTES // 2].ljust(BLOCK_BYTES, b"\0")

    assert len(stamp) == BLOCK_BYTES
    assert read_stamp(SALT, position, stamp) == Answer(position, Held.OWN, position)
    assert read_stamp(SALT, position + BLOCK_BYTES, stamp).held is Held.OTHER
    assert read_stamp(SALT, position, other).held is Held.NONE
    assert read_stamp(SALT, position, torn).held is Held.NONE
    assert read_stamp(SALT, position, bytes(BLOCK_BYTES)).held is Held.NONE


@given(capacities, st.integers(), st.data())
def test_a_drive_that_lost_one_block_in_the_middle_is_damaged_and_no_counterfeit(
    capacity_bytes: int, seed: int, data: st.DataObject
) -> None:
    positions = probe_positions(capacity_bytes, Random(seed))
    lost = data.draw(st.sampled_from(positions[:-1]))
    finding = conclude(
        [Answer(at, Held.NONE if at == lost else Held.OWN, at) for at in positions],
        capacity_bytes,
    )

    assert not finding.is_counterfeit
    assert finding.damaged_at == lost
