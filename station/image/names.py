"""Names that FAT32 can hold and that every reader of it can show.

Sources: Microsoft FAT specification 1.03 (long and short names); Windows' naming rules for the
reserved device names.
"""

import re

LONGEST_NAME_UNITS = 255
FORBIDDEN_CHARACTERS = frozenset('\\/:*?"<>|')
RESERVED_STEMS = frozenset(
    {"CON", "PRN", "AUX", "NUL"}
    | {f"{port}{digit}" for port in ("COM", "LPT") for digit in "123456789¹²³"}
)
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_PADDING = "\uffff"  # what fills up the last entry of a long name, so that it can't be part of one
# All of these at once: a name without any, as nearly every one is, is looked through only once.
_NEVER_HELD = re.compile(r'[\x00-\x1f\x7f\uffff\ud800-\udfff\\/:*?"<>|]')


def utf16_units(name: str) -> int:
    """Length of a name as FAT counts it; what lies beyond the basic plane takes two units."""
    return len(name.encode("utf-16-le", "surrogatepass")) // 2


def name_problem(name: str) -> str | None:
    """Say why one component of a path can't be a FAT32 long name, or None when it can.

    The answer completes a sentence that begins with the name: `… ends in a dot`.
    """
    if not name:
        return "is empty"
    if name in (".", ".."):
        return "means another folder"
    if _NEVER_HELD.search(name):
        return _what_it_holds(name)
    if name.endswith((".", " ")):
        return f"ends in a {'dot' if name.endswith('.') else 'space'}, which Windows drops"
    if name.split(".", maxsplit=1)[0].rstrip(" ").upper() in RESERVED_STEMS:
        return "is a reserved device name on Windows"
    if (units := utf16_units(name)) > LONGEST_NAME_UNITS:
        return f"is {units} UTF-16 units long, FAT32 allows {LONGEST_NAME_UNITS}"
    return None


def _what_it_holds(name: str) -> str:
    """Which of the characters that no name holds there are in this one."""
    if _SURROGATES.search(name):
        return "is no valid Unicode"
    if _CONTROLS.search(name):
        return "holds a control character"
    if _PADDING in name:
        return "holds U+FFFF, with which FAT32 fills up names"
    forbidden = sorted(set(name) & FORBIDDEN_CHARACTERS)
    return f"holds {' '.join(forbidden)}, which Windows and FAT32 forbid"


def folded(name: str) -> str:
    """The form under which FAT32 takes two names for one: upper case, as VFAT compares them.

    Each character is folded on its own and only to one other: so `ß` and `SS` stay apart, as they
    do on Windows and Linux, and `ᾳ` meets `ᾼ`.
    """
    upper = name.upper()
    return upper if len(upper) == len(name) else "".join(map(_capital, name))


def _capital(character: str) -> str:
    """The one character that is its upper case; without one, its title case; else itself."""
    for capital in (character.upper(), character.title()):
        if len(capital) == 1:
            return capital
    return character
