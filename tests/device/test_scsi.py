import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.device.scsi import (
    Completion,
    Sense,
    SenseKey,
    cache_was_flushed,
    parse_sense,
    synchronize_cache,
)

CHECK_CONDITION = 0x02


def fixed(response: int, key: int, asc: int, ascq: int, flags: int = 0) -> bytes:
    """SPC-5 table 53: response, -, flags | key, information[4], length, specific[4], asc, ascq."""
    return bytes([response, 0, flags | key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0])


def descriptor(response: int, key: int, asc: int, ascq: int) -> bytes:
    """SPC-5 table 28: response, key, asc, ascq, flags, reserved[2], length."""
    return bytes([response, key, asc, ascq, 0, 0, 0, 0])


@given(
    key=st.integers(0, 15),
    asc=st.integers(0, 255),
    ascq=st.integers(0, 255),
    deferred=st.booleans(),
    valid=st.sampled_from([0, 0x80]),
    flags=st.sampled_from([0, 0x20, 0x40, 0x80, 0xE0]),
)
def test_both_sense_formats_tell_the_same(  # noqa: PLR0913 - each is one field of the format
    key: int, asc: int, ascq: int, valid: int, flags: int, *, deferred: bool
) -> None:
    expected = Sense(SenseKey(key), asc, ascq, deferred)

    assert parse_sense(fixed(valid | 0x70 | deferred, key, asc, ascq, flags)) == expected
    assert parse_sense(descriptor(0x72 | deferred, key, asc, ascq)) == expected


def test_a_short_fixed_answer_still_tells_the_key() -> None:
    assert parse_sense(bytes([0x70, 0, 0x05])) == Sense(SenseKey.ILLEGAL_REQUEST, 0, 0, False)  # noqa: FBT003 - fields in their order


@given(st.binary(max_size=64))
def test_whatever_a_stick_answers_is_sense_or_none(data: bytes) -> None:
    sense = parse_sense(data)

    assert (sense is None) or data[0] & 0x7F in range(0x70, 0x74)


@pytest.mark.parametrize("data", [b"", b"\x70", b"\x70\0", b"\x72\x05\x20", b"\x7f" + bytes(17)])
def test_what_is_no_sense_data_is_none(data: bytes) -> None:
    assert parse_sense(data) is None


def checked(key: SenseKey, asc: int = 0, *, deferred: bool = False, host: int = 0) -> Completion:
    return Completion(CHECK_CONDITION, host, Sense(key, asc, 0, deferred))


@pytest.mark.parametrize(
    ("completion", "flushed"),
    [
        (Completion(status=0), True),
        (checked(SenseKey.RECOVERED_ERROR, 0x17), True),
        (checked(SenseKey.NO_SENSE), True),
        (checked(SenseKey.ILLEGAL_REQUEST, 0x20), False),
        (checked(SenseKey.ILLEGAL_REQUEST, 0x24), False),
        # Kernels before 5.19 add DID_TARGET_FAILURE to an illegal request.
        (checked(SenseKey.ILLEGAL_REQUEST, 0x20, host=0x10), False),
    ],
)
def test_a_cache_is_flushed_or_there_is_none_to_flush(
    completion: Completion,
    flushed: bool,  # noqa: FBT001 - a column of the table
) -> None:
    assert cache_was_flushed(completion) is flushed


@pytest.mark.parametrize(
    ("completion", "number"),
    [
        (checked(SenseKey.MEDIUM_ERROR, 0x0C), errno.EIO),
        (checked(SenseKey.HARDWARE_ERROR), errno.EIO),
        (checked(SenseKey.UNIT_ATTENTION, 0x28), errno.EIO),
        (checked(SenseKey.NOT_READY, 0x3A), errno.ENOMEDIUM),
        (checked(SenseKey.NOT_READY, 0x04), errno.EIO),
        (checked(SenseKey.DATA_PROTECT, 0x27), errno.EROFS),
        # A cached write that failed is told by the next command, whatever that is.
        (checked(SenseKey.MEDIUM_ERROR, 0x0C, deferred=True), errno.EIO),
        (checked(SenseKey.ILLEGAL_REQUEST, 0x20, deferred=True), errno.EIO),
        (Completion(CHECK_CONDITION), errno.EIO),
        (Completion(status=0x08), errno.EIO),  # busy
        (Completion(status=0, host_status=0x01), errno.ENODEV),
        (Completion(status=0, host_status=0x03), errno.ETIMEDOUT),
        (Completion(status=0, host_status=0x07), errno.EIO),
    ],
)
def test_a_flush_that_failed_is_never_taken_for_a_missing_cache(
    completion: Completion, number: int
) -> None:
    with pytest.raises(OSError, match="SYNCHRONIZE CACHE") as caught:
        cache_was_flushed(completion)

    assert caught.value.errno == number


def test_a_failure_says_what_the_drive_said() -> None:
    with pytest.raises(OSError, match=r"status 02, host status 00, medium error \(3/0c/00\)"):
        cache_was_flushed(checked(SenseKey.MEDIUM_ERROR, 0x0C))


def test_a_device_that_speaks_no_scsi_has_no_cache_to_flush(
    make_image: Callable[..., Path], make_loop: Callable[..., Path]
) -> None:
    fd = os.open(make_loop(make_image()), os.O_RDWR)

    assert synchronize_cache(fd) is False
    os.close(fd)


def test_a_descriptor_that_is_not_open_is_an_error_and_no_missing_cache() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        synchronize_cache(os.dup(0) + 1000)
