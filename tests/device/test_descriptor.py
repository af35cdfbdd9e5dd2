import errno
import os
import threading
from pathlib import Path

import pytest

from station.device.descriptor import Descriptor


def opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_a_number_is_not_given_to_another_file_while_somebody_uses_it(tmp_path: Path) -> None:
    fd = opened(tmp_path / "hung")
    descriptor = Descriptor(fd)
    with descriptor.use():
        descriptor.close()
        other = opened(tmp_path / "next")

        assert is_open(fd)
        assert other != fd
    assert not is_open(fd)
    os.close(other)


def test_the_last_user_to_leave_closes_the_file(tmp_path: Path) -> None:
    fd = opened(tmp_path / "file")
    descriptor = Descriptor(fd)
    with descriptor.use():
        with descriptor.use():
            descriptor.close()
        assert is_open(fd)
    assert not is_open(fd)


def test_nobody_is_let_in_after_close(tmp_path: Path) -> None:
    descriptor = Descriptor(opened(tmp_path / "file"))
    descriptor.close()
    with pytest.raises(OSError, match="closed") as caught, descriptor.use():
        pass
    assert caught.value.errno == errno.EBADF


def test_close_does_not_wait_for_a_thread_that_hangs_in_the_kernel() -> None:
    read_end, write_end = os.pipe()
    descriptor = Descriptor(read_end)
    entered = threading.Event()

    def hang() -> None:
        with descriptor.use() as fd:
            entered.set()
            os.read(fd, 1)

    thread = threading.Thread(target=hang)
    thread.start()
    entered.wait()
    descriptor.close()

    assert is_open(read_end)
    os.write(write_end, b"x")
    thread.join()
    assert not is_open(read_end)
    os.close(write_end)


def test_a_transfer_goes_on_after_short_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwrite, preadv = os.pwrite, os.preadv
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: pwrite(fd, data[:3], at))
    monkeypatch.setattr(os, "preadv", lambda fd, into, at: preadv(fd, [into[0][:3]], at))
    descriptor = Descriptor(opened(tmp_path / "file"))
    descriptor.write_all(5, memoryview(b"0123456789"))
    into = memoryview(bytearray(10))
    descriptor.read_all(5, into)

    assert bytes(into) == b"0123456789"
    descriptor.close()


def test_a_transfer_that_gets_nowhere_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    descriptor = Descriptor(opened(tmp_path / "file"))
    with pytest.raises(OSError, match="ended at 0") as read:
        descriptor.read_all(0, memoryview(bytearray(1)))
    monkeypatch.setattr(os, "pwrite", lambda _fd, _data, _at: 0)
    with pytest.raises(OSError, match="ended at 0") as write:
        descriptor.write_all(0, memoryview(b"x"))

    assert (read.value.errno, write.value.errno) == (errno.EIO, errno.ENOSPC)
    descriptor.close()


def test_close_ends_a_transfer_between_two_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    descriptor = Descriptor(opened(path))
    pwrite = os.pwrite

    def close_meanwhile(fd: int, data: memoryview, at: int) -> int:
        descriptor.close()
        return pwrite(fd, data[:3], at)

    monkeypatch.setattr(os, "pwrite", close_meanwhile)
    with pytest.raises(OSError, match="closed"):
        descriptor.write_all(0, memoryview(b"0123456789"))

    assert path.read_bytes() == b"012"
