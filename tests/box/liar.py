"""An nbdkit plugin: the flash of a counterfeit, which claims more than it has.

Parameters: `memory` the image file, whose size is claimed; `real` the bytes that exist; `lie` what
becomes of the rest, as in `tests.box.stick.Lie`. Interface: nbdkit-python-plugin(3), version 2.
"""

import os

API_VERSION = 2

_parameters: dict[str, str] = {}


def config(key: str, value: str) -> None:
    _parameters[key] = value


def config_complete() -> None:
    missing = {"memory", "real", "lie"} - _parameters.keys()
    if missing:
        raise ValueError(f"missing: {', '.join(sorted(missing))}")


def thread_model() -> int:
    # Exists inside of nbdkit alone.
    import nbdkit  # type: ignore[import-not-found]  # noqa: PLC0415 - as said above

    return int(nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS)


def open(readonly: bool) -> int:  # noqa: A001, FBT001 - the interface's name and argument
    return os.open(_parameters["memory"], os.O_RDONLY if readonly else os.O_RDWR)


def close(memory: int) -> None:
    os.close(memory)


def get_size(memory: int) -> int:
    return os.fstat(memory).st_size


def pread(memory: int, buffer: bytearray, offset: int, _flags: int) -> None:
    at = 0
    for length, real_offset in _pieces(offset, len(buffer)):
        piece = bytes(length) if real_offset is None else os.pread(memory, length, real_offset)
        buffer[at : at + length] = piece
        at += length


def pwrite(memory: int, buffer: bytes, offset: int, _flags: int) -> None:
    at = 0
    for length, real_offset in _pieces(offset, len(buffer)):
        if real_offset is not None:
            os.pwrite(memory, buffer[at : at + length], real_offset)
        at += length


def flush(memory: int, _flags: int) -> None:
    os.fdatasync(memory)


def _pieces(offset: int, length: int) -> list[tuple[int, int | None]]:
    """Split a request where the memory ends: lengths, each with where it lands, if anywhere."""
    real = int(_parameters["real"])
    wraps = _parameters["lie"] == "wraparound"
    pieces: list[tuple[int, int | None]] = []
    end = offset + length
    while offset < end:
        if offset >= real and not wraps:
            return [*pieces, (end - offset, None)]
        into = offset % real
        step = min(end - offset, real - into)
        pieces.append((step, into))
        offset += step
    return pieces
