"""SYNCHRONIZE CACHE through SG_IO: the one way to tell a stick to empty its write cache.

The kernel sends a flush by itself only to drives that report a caching page, which sticks rarely do
(drivers/scsi/sd.c, `sd_read_cache_type`).

Sources: SBC-4 5.31 (SYNCHRONIZE CACHE (10)), SPC-5 4.4 (sense data), include/scsi/sg.h (sg_io_hdr),
include/scsi/scsi_status.h (host bytes).
"""

import ctypes
import errno
import fcntl
import os
from dataclasses import dataclass
from enum import IntEnum, unique
from typing import ClassVar

SG_IO = 0x2285
SYNCHRONIZE_CACHE_10 = 0x35

# A stick may owe hundreds of MB to flash that takes 4 MB/s. A hung one is left behind by whoever
# watches the job, not by this limit.
SYNCHRONIZE_TIMEOUT_S = 300.0

_COMMAND_BYTES = 10
_SENSE_BYTES = 64
_SG_DXFER_NONE = -1

_STATUS_GOOD = 0x00
_STATUS_CHECK_CONDITION = 0x02
_DID_OK = 0x00
_HOST_ERRNO = {0x01: errno.ENODEV, 0x03: errno.ETIMEDOUT}  # DID_NO_CONNECT, DID_TIME_OUT

_RESPONSE_FIXED = 0x70
_RESPONSE_FIXED_DEFERRED = 0x71
_RESPONSE_DESCRIPTOR = 0x72
_RESPONSE_DESCRIPTOR_DEFERRED = 0x73

_ASC_MEDIUM_NOT_PRESENT = 0x3A

# What the ioctl says of a device that does not speak SCSI: loop and device mapper, then virtio.
_NO_SCSI = frozenset({errno.EINVAL, errno.ENOTTY})


@unique
class SenseKey(IntEnum):
    """SPC-5 table 49."""

    NO_SENSE = 0x0
    RECOVERED_ERROR = 0x1
    NOT_READY = 0x2
    MEDIUM_ERROR = 0x3
    HARDWARE_ERROR = 0x4
    ILLEGAL_REQUEST = 0x5
    UNIT_ATTENTION = 0x6
    DATA_PROTECT = 0x7
    BLANK_CHECK = 0x8
    VENDOR_SPECIFIC = 0x9
    COPY_ABORTED = 0xA
    ABORTED_COMMAND = 0xB
    RESERVED = 0xC
    VOLUME_OVERFLOW = 0xD
    MISCOMPARE = 0xE
    COMPLETED = 0xF


@dataclass(frozen=True, slots=True)
class Sense:
    """Why a command was not simply good.

    Attributes:
        key: the kind of trouble.
        asc: additional sense code.
        ascq: its qualifier.
        deferred: whether it tells of an earlier command, such as a cached write that failed.
    """

    key: SenseKey
    asc: int
    ascq: int
    deferred: bool

    def __str__(self) -> str:
        deferred = "deferred " if self.deferred else ""
        name = self.key.name.replace("_", " ").lower()
        return f"{deferred}{name} ({self.key:x}/{self.asc:02x}/{self.ascq:02x})"


@dataclass(frozen=True, slots=True)
class Completion:
    """How a command ended, as sg_io_hdr tells.

    Attributes:
        status: SCSI status byte.
        host_status: the host adapter's trouble; 0 is none.
        sense: why a command was not good; None where the device said nothing.
    """

    status: int
    host_status: int = _DID_OK
    sense: Sense | None = None


def parse_sense(data: bytes) -> Sense | None:
    """Read sense data in fixed or descriptor format; None when it is neither or too short.

    Fixed (0x70, 0x71): key in the low half of byte 2, code and qualifier in bytes 12 and 13, which
    a short answer may leave out. Descriptor (0x72, 0x73): key in byte 1, the others in 2 and 3.
    """
    response = data[0] & 0x7F if data else 0
    deferred = response in (_RESPONSE_FIXED_DEFERRED, _RESPONSE_DESCRIPTOR_DEFERRED)
    if response in (_RESPONSE_FIXED, _RESPONSE_FIXED_DEFERRED) and len(data) > 2:  # noqa: PLR2004 - byte 2 holds the key
        asc, ascq = data[12:14].ljust(2, b"\0")
        return Sense(SenseKey(data[2] & 0x0F), asc, ascq, deferred)
    if response in (_RESPONSE_DESCRIPTOR, _RESPONSE_DESCRIPTOR_DEFERRED) and len(data) > 3:  # noqa: PLR2004 - byte 3 is the last needed
        return Sense(SenseKey(data[1] & 0x0F), data[2], data[3], deferred)
    return None


def cache_was_flushed(completion: Completion) -> bool:
    """Judge a SYNCHRONIZE CACHE: True when it was done, False when the device has no such command.

    Raises:
        OSError: ENODEV when the device is gone, ETIMEDOUT when it did not answer, ENOMEDIUM without
            a medium, EROFS when it is locked, EIO for any other failure, a deferred one included.
    """
    sense = completion.sense
    # Sense data first: kernels before 5.19 add a host status of their own to an illegal request.
    if completion.status == _STATUS_CHECK_CONDITION and sense is not None and not sense.deferred:
        return _judge_sense(sense, completion)
    if completion.status == _STATUS_GOOD and completion.host_status == _DID_OK:
        return True
    raise _failure(_HOST_ERRNO.get(completion.host_status, errno.EIO), completion)


def _judge_sense(sense: Sense, completion: Completion) -> bool:
    match sense.key:
        case SenseKey.NO_SENSE | SenseKey.RECOVERED_ERROR | SenseKey.COMPLETED:
            return True
        case SenseKey.ILLEGAL_REQUEST:
            # Our command has no field that could be wrong: the device does not know it.
            return False
        case SenseKey.NOT_READY if sense.asc == _ASC_MEDIUM_NOT_PRESENT:
            raise _failure(errno.ENOMEDIUM, completion)
        case SenseKey.DATA_PROTECT:
            raise _failure(errno.EROFS, completion)
        case _:
            raise _failure(errno.EIO, completion)


def synchronize_cache(fd: int, timeout_s: float = SYNCHRONIZE_TIMEOUT_S) -> bool:
    """Have the drive write its whole cache to the medium.

    Returns:
        True when the drive did, False when it has no such command or speaks no SCSI: what fsync
        does is then all that can be done.

    Raises:
        OSError: the drive failed; see `cache_was_flushed`.
    """
    # The first byte is the command; all others zero: from the first block to the last, and return
    # only when it is done.
    command = (ctypes.c_ubyte * _COMMAND_BYTES)(SYNCHRONIZE_CACHE_10)
    sense = (ctypes.c_ubyte * _SENSE_BYTES)()
    header = _SgIoHdr(
        interface_id=ord("S"),
        dxfer_direction=_SG_DXFER_NONE,
        cmd_len=_COMMAND_BYTES,
        mx_sb_len=_SENSE_BYTES,
        cmdp=ctypes.addressof(command),
        sbp=ctypes.addressof(sense),
        timeout=round(timeout_s * 1000),
    )
    try:
        fcntl.ioctl(fd, SG_IO, header)
    except OSError as error:
        if error.errno in _NO_SCSI:
            return False
        raise
    return cache_was_flushed(
        Completion(
            status=header.status,
            host_status=header.host_status,
            sense=parse_sense(bytes(sense[: header.sb_len_wr])),
        )
    )


def _failure(number: int, completion: Completion) -> OSError:
    return OSError(
        number,
        f"{os.strerror(number)} on SYNCHRONIZE CACHE: status {completion.status:02x}, "
        f"host status {completion.host_status:02x}, {completion.sense or 'no sense data'}",
    )


class _SgIoHdr(ctypes.Structure):
    """`struct sg_io_hdr`, include/scsi/sg.h, interface version 3."""

    _fields_: ClassVar = [
        ("interface_id", ctypes.c_int),
        ("dxfer_direction", ctypes.c_int),
        ("cmd_len", ctypes.c_ubyte),
        ("mx_sb_len", ctypes.c_ubyte),
        ("iovec_count", ctypes.c_ushort),
        ("dxfer_len", ctypes.c_uint),
        ("dxferp", ctypes.c_void_p),
        ("cmdp", ctypes.c_void_p),
        ("sbp", ctypes.c_void_p),
        ("timeout", ctypes.c_uint),
        ("flags", ctypes.c_uint),
        ("pack_id", ctypes.c_int),
        ("usr_ptr", ctypes.c_void_p),
        ("status", ctypes.c_ubyte),
        ("masked_status", ctypes.c_ubyte),
        ("msg_status", ctypes.c_ubyte),
        ("sb_len_wr", ctypes.c_ubyte),
        ("host_status", ctypes.c_ushort),
        ("driver_status", ctypes.c_ushort),
        ("resid", ctypes.c_int),
        ("duration", ctypes.c_uint),
        ("info", ctypes.c_uint),
    ]
