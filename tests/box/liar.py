"""An nbdkit plugin: flash that does something else than it says.

Parameters: `memory` the image file, whose size is claimed. Of a counterfeit, `real` the bytes that
exist, and `lie` what becomes of the rest, as in `tests.box.stick.Lie`. Of bad flash, the bytes from
`start` to `end`, what it `does` to them, as in `tests.box.stick.Misdeed`, and a `pause` in seconds.
Interface: nbdkit-python-plugin(3), version 2.
"""

import os
import time

API_VERSION = 2

_parameters: dict[str, str] = {}
_paused = False


def config(key: str, value: str) -> None:
    _parameters[key] = value


def config_complete() -> None:
    for needed in ({"memory"}, {"real", "lie"}, {"does", "start", "end", "pause"}):
        missing = needed - _parameters.keys()
        if missing and (missing != needed or needed == {"memory"}):
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
    if _does("flip-read"):
        _flip(buffer, offset)


def pwrite(memory: int, buffer: bytes, offset: int, _flags: int) -> None:
    global _paused  # noqa: PLW0603 - a plugin is a module; this is its one state
    struck = bytearray(buffer)
    first, last = _struck(offset, len(buffer))
    if first < last:
        if _does("flip-written"):
            _flip(struck, offset)
        if _does("lose"):
            struck[first - offset : last - offset] = os.pread(memory, last - first, first)
        if _does("pause") and not _paused:
            _paused = True
            time.sleep(float(_parameters["pause"]))
    at = 0
    for length, real_offset in _pieces(offset, len(buffer)):
        if real_offset is not None:
            os.pwrite(memory, struck[at : at + length], real_offset)
        at += length


def flush(memory: int, _flags: int) -> None:
    os.fdatasync(memory)


def _does(what: str) -> bool:
    return _parameters.get("does") == what


def _struck(offset: int, length: int) -> tuple[int, int]:
    """The bytes of a request that are bad, from the first to behind the last."""
    first, last = int(_parameters.get("start", 0)), int(_parameters.get("end", 0))
    return max(first, offset), min(last, offset + length)


def _flip(buffer: bytearray, offset: int) -> None:
    first = int(_parameters["start"]) - offset
    if 0 <= first < len(buffer):
        buffer[first] ^= 1


def _pieces(offset: int, length: int) -> list[tuple[int, int | None]]:
    """Split a request where the memory ends: lengths, each with where it lands, if anywhere."""
    lie = _parameters.get("lie")
    if lie is None:
        return [(length, offset)]
    real = int(_parameters["real"])
    pieces: list[tuple[int, int | None]] = []
    end = offset + length
    while offset < end:
        if offset >= real and lie != "wraparound":
            return [*pieces, (end - offset, None)]
        into = offset % real
        step = min(end - offset, real - into)
        pieces.append((step, into))
        offset += step
    return pieces
