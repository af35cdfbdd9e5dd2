import mmap
import os
import tempfile

import pytest

from station.device.buffer import aligned_buffer, require_aligned_memory


@pytest.mark.parametrize("length_bytes", [1, 512, 4096, 1 << 20, 1 << 22])
def test_a_buffer_starts_on_a_page_and_holds_zeros(length_bytes: int) -> None:
    buffer = aligned_buffer(length_bytes)
    require_aligned_memory(buffer, mmap.PAGESIZE)

    assert bytes(buffer) == bytes(length_bytes)


@pytest.mark.parametrize("length_bytes", [512, 1 << 22])
def test_a_process_that_is_forked_shares_no_page_that_drives_are_read_into(
    length_bytes: int,
) -> None:
    read_into = aligned_buffer(length_bytes)
    written_from = aligned_buffer(length_bytes, is_read_into=False)
    read_into[:] = written_from[:] = b"x" * length_bytes
    with tempfile.TemporaryFile() as file:
        if (child := os.fork()) == 0:
            os.writev(file.fileno(), [read_into, written_from])
            os._exit(0)
        _, status = os.waitpid(child, 0)
        file.seek(0)

        assert status == 0
        assert file.read() == bytes(length_bytes) + b"x" * length_bytes
    assert bytes(read_into) == b"x" * length_bytes


@pytest.mark.parametrize("shift_bytes", [1, 256, 511, 513])
def test_memory_that_starts_between_two_sectors_is_refused(shift_bytes: int) -> None:
    with pytest.raises(ValueError, match="not aligned to 512 bytes"):
        require_aligned_memory(aligned_buffer(2048)[shift_bytes:], 512)


def test_memory_is_judged_without_looking_at_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("source") / "film"
    path.write_bytes(bytes(4096))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapping:
        file.truncate(0)  # looking at the mapping would now be a bus error
        with memoryview(mapping) as view:
            require_aligned_memory(view, 512)
