"""What drives hold, as plain bytes."""

from station.device.buffer import aligned_buffer
from station.device.drive import Drive

MIB = 1 << 20


def memory(data: bytes) -> memoryview:
    """Bytes where direct I/O takes them from."""
    buffer = aligned_buffer(len(data))
    buffer[:] = data
    return buffer


def content(drive: Drive, offset_bytes: int = 0, length_bytes: int | None = None) -> bytes:
    """What a drive gives back; all that lies behind an offset, unless a length is given."""
    if length_bytes is None:
        length_bytes = drive.capacity_bytes - offset_bytes
    buffer = aligned_buffer(length_bytes)
    drive.read(offset_bytes, buffer)
    return bytes(buffer)
