"""Directory entries: 32 bytes each, long names before their short one.

Source: Microsoft FAT specification 1.03, "Directory structure" and "Long directory entries".
"""

import struct
from dataclasses import dataclass
from enum import IntFlag

from station.image.names import utf16_units
from station.image.short_names import checksum, is_short

ENTRY_BYTES = 32
MOST_ENTRIES = 65_536  # 2 MiB, the most that a directory may take
LONG_NAME_UNITS = 13  # UTF-16 units in one long-name entry

# 1980-01-01, the first day that FAT knows: a stick tells nothing about when it was made.
FIXED_DATE = (0 << 9) | (1 << 5) | 1
FIXED_TIME = 0

_SHORT_ENTRY = struct.Struct("<11sBBBHHHHHHHI")
_LONG_ENTRY = struct.Struct("<B10sBBB12sH4s")
_LAST_LONG_ENTRY = 0x40
_UNIT_BYTES = 2
_LONG_NAME_BYTES = LONG_NAME_UNITS * _UNIT_BYTES


class Attribute(IntFlag):
    """What kind of thing an entry names."""

    VOLUME_LABEL = 0x08
    DIRECTORY = 0x10
    ARCHIVE = 0x20


LONG_NAME_ATTRIBUTE = 0x0F


@dataclass(frozen=True, slots=True)
class Entry:
    """What a directory says of one file or folder.

    Attributes:
        first_cluster: where it begins; 0 for an empty file and for the label.
        size_bytes: length of a file; 0 for a folder.
        attribute: file (archive), folder or label.
    """

    first_cluster: int
    size_bytes: int
    attribute: Attribute


def entries_of(name: str) -> int:
    """How many 32-byte entries a name takes in its directory."""
    return 1 if is_short(name) else 1 + -(-utf16_units(name) // LONG_NAME_UNITS)


def encode_short(short_name: bytes, entry: Entry) -> bytes:
    """One entry under its short name of 11 bytes."""
    return _SHORT_ENTRY.pack(
        short_name,
        entry.attribute,
        0,
        0,
        0,
        0,
        0,
        entry.first_cluster >> 16,
        FIXED_TIME,
        FIXED_DATE,
        entry.first_cluster & 0xFFFF,
        entry.size_bytes,
    )


def encode_named(name: str, short_name: bytes, entry: Entry) -> bytes:
    """An entry with its long name before it, where the short name does not say it all."""
    short = encode_short(short_name, entry)
    if is_short(name):
        return short
    text = name.encode("utf-16-le")
    if len(text) % _LONG_NAME_BYTES:
        # One zero ends the name, FFFF fills the rest; a name that fills its entries has neither.
        padded = -(-len(text) // _LONG_NAME_BYTES) * _LONG_NAME_BYTES
        text = (text + b"\0\0").ljust(padded, b"\xff")
    tie = checksum(short_name)
    count = len(text) // _LONG_NAME_BYTES
    parts = []
    for order in range(count, 0, -1):
        at = (order - 1) * _LONG_NAME_BYTES
        parts.append(
            _LONG_ENTRY.pack(
                order | _LAST_LONG_ENTRY if order == count else order,
                text[at : at + 10],
                LONG_NAME_ATTRIBUTE,
                0,
                tie,
                text[at + 10 : at + 22],
                0,
                text[at + 22 : at + 26],
            )
        )
    parts.append(short)
    return b"".join(parts)
