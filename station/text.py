"""Text from sticks and file names, made safe to show."""

import unicodedata

# Control, format (right-to-left marks, zero-width characters), surrogate, private use, unassigned,
# and the separators that end a line: nothing that a terminal acts on or a reader can't see.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str) -> str:
    r"""Escape what could drive a terminal or mislead a reader: ESC becomes `\x1b`.

    The result holds no line break, no control or format character and no lone surrogate. It is not
    escaped for Rich markup: show it as `rich.text.Text`, never as a markup string.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if unicodedata.category(character) not in _UNSAFE_CATEGORIES
        else _escape(character)
        for character in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the largest code point that two hexadecimal digits hold
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - as above, four digits
