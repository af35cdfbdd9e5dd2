"""The sample's songs and films: plain WAV and AVI that players play, computed with integers only.

Floating point would leave the last bit, and so the hashes, to the machine's mathematics library.
Sources: Microsoft, "Multiple Channel Audio Data and WAVE Files" and "AVI RIFF File Reference".
"""

import struct
from collections.abc import Iterator
from hashlib import shake_128

_SAMPLES_PER_S = 22_050
_NOTE_SAMPLES = _SAMPLES_PER_S // 2
_SILENCE = 128
# Periods in samples of a pentatonic scale around 262 Hz: any order of it sounds like a tune.
_NOTE_PERIODS = (84, 75, 67, 56, 50, 42, 37, 33)

_WIDTH = 160
_HEIGHT = 120
_PIXEL_BYTES = 3
_FRAME_BYTES = _WIDTH * _HEIGHT * _PIXEL_BYTES
FRAMES_PER_S = 15
# The picture moves on by a number of pixels that has no divisor in common with their count, so
# that no two frames of a film are equal.
_PIXELS_PER_FRAME = 7
_HAS_INDEX = 0x10
_KEY_FRAME = 0x10


def song(title: str, length_s: int) -> bytes:
    """A melody as WAV: one channel of 8 bits at 22,050 Hz."""
    choices = shake_128(title.encode()).digest(length_s * 2)
    samples = b"".join(_note(_NOTE_PERIODS[choice % len(_NOTE_PERIODS)]) for choice in choices)
    layout = struct.pack("<HHIIHH", 1, 1, _SAMPLES_PER_S, _SAMPLES_PER_S, 1, 8)
    return _riff(b"WAVE", _chunk(b"fmt ", layout) + _chunk(b"data", samples))


def film(title: str, length_s: int) -> Iterator[bytes]:
    """A moving pattern as AVI: one stream of uncompressed 24-bit pictures, told in pieces."""
    frame_count = length_s * FRAMES_PER_S
    frame_chunk_bytes = 8 + _FRAME_BYTES
    movie_bytes = 4 + frame_count * frame_chunk_bytes
    header = _chunk(b"LIST", b"hdrl" + _film_header(frame_count))
    index = _chunk(
        b"idx1",
        b"".join(
            struct.pack("<4sIII", b"00db", _KEY_FRAME, 4 + at * frame_chunk_bytes, _FRAME_BYTES)
            for at in range(frame_count)
        ),
    )
    riff_bytes = 4 + len(header) + 8 + movie_bytes + len(index)
    yield struct.pack("<4sI4s", b"RIFF", riff_bytes, b"AVI ") + header
    yield struct.pack("<4sI4s", b"LIST", movie_bytes, b"movi")
    picture = _picture(title) * 2
    frame_header = struct.pack("<4sI", b"00db", _FRAME_BYTES)
    for at in range(frame_count):
        start = at * _PIXELS_PER_FRAME * _PIXEL_BYTES % _FRAME_BYTES
        yield frame_header + picture[start : start + _FRAME_BYTES]
    yield index


def _note(period: int) -> bytes:
    """Half a second of a triangle wave that fades out in eight steps."""
    half = period // 2
    wave = [min(at, period - at) * 200 // half - 100 for at in range(period)]
    steps = 8
    note = b"".join(
        bytes(_SILENCE + value * (steps - step) // steps for value in wave)
        * (_NOTE_SAMPLES // steps // period)
        for step in range(steps)
    )
    return note.ljust(_NOTE_SAMPLES, bytes([_SILENCE]))


def _picture(title: str) -> bytes:
    red, green, blue = shake_128(title.encode()).digest(3)
    return bytes(
        value & 0xFF
        for y in range(_HEIGHT)
        for x in range(_WIDTH)
        for value in (blue + x, green + 2 * y, red + x * y // 75)
    )


def _film_header(frame_count: int) -> bytes:
    main = struct.pack(
        "<14I",
        1_000_000 // FRAMES_PER_S,  # microseconds per frame
        FRAMES_PER_S * _FRAME_BYTES,
        0,
        _HAS_INDEX,
        frame_count,
        0,
        1,  # streams
        _FRAME_BYTES,
        _WIDTH,
        _HEIGHT,
        *(0, 0, 0, 0),
    )
    stream = struct.pack(
        "<4s4sIHHIIIIIIII4h",
        b"vids",
        b"DIB ",
        *(0, 0, 0, 0),
        *(1, FRAMES_PER_S),  # rate as a fraction
        0,
        frame_count,
        _FRAME_BYTES,
        0xFFFFFFFF,  # no statement on quality
        0,
        *(0, 0, _WIDTH, _HEIGHT),
    )
    layout = struct.pack(
        "<IiiHHIIiiII", 40, _WIDTH, _HEIGHT, 1, 8 * _PIXEL_BYTES, 0, _FRAME_BYTES, *(0, 0, 0, 0)
    )
    streams = b"strl" + _chunk(b"strh", stream) + _chunk(b"strf", layout)
    return _chunk(b"avih", main) + _chunk(b"LIST", streams)


def _riff(form: bytes, chunks: bytes) -> bytes:
    return _chunk(b"RIFF", form + chunks)


def _chunk(name: bytes, data: bytes) -> bytes:
    """One RIFF chunk, padded to an even length."""
    return struct.pack("<4sI", name, len(data)) + data + b"\0" * (len(data) % 2)
