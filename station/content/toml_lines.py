"""On which line of a TOML text each key stands; `tomllib` does not say.

The text must have been accepted by `tomllib` before: so this reader only has to find its way, and
no rule is checked twice. Source: TOML 1.0.0, https://toml.io/en/v1.0.0
"""

import re
import tomllib
from collections.abc import Mapping

from station.content.violation import Location

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
# One part of a key: bare, "basic" with escapes, or 'literal'.
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
# Up to two quotes may stand right before the three that close a multi-line string.
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
# Numbers, booleans and dates; a date and its time may be parted by one space.
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> Mapping[Location, int]:
    """Map the location of every table, key and array element to its line, counted from 1.

    Args:
        text: valid TOML.
    """
    return _Locator(text).run()


def line_of(lines: Mapping[Location, int], location: Location) -> int:
    """The line of a location, or of the nearest table around one that is missing."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


class _Locator:
    """Walks over a text once."""

    def __init__(self, text: str) -> None:
        # TOML knows no lone carriage return; tomllib reads the pair as a line feed, too.
        self._text = text
        self._at = 0
        self._line = 1
        self._counted_to = 0
        self._lines: dict[Location, int] = {}
        self._lengths: dict[Location, int] = {}  # of arrays of tables

    def run(self) -> dict[Location, int]:
        table: Location = ()
        self._skip(_BLANK)
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self._lines

    def _header(self) -> Location:
        is_array = self._text.startswith("[[", self._at)
        line = self._current_line()
        self._at += 2 if is_array else 1
        path = self._key()
        self._at += 2 if is_array else 1
        table: Location = ()
        for part in path[:-1]:
            table = self._last_element((*table, part))
        location = (*table, path[-1])
        if is_array:
            index = self._lengths.get(location, 0)
            self._lengths[location] = index + 1
            self._note(location, line)
            location = (*location, index)
        self._note(location, line)
        return location

    def _last_element(self, location: Location) -> Location:
        """What a further header means by an array of tables: the element begun last."""
        length = self._lengths.get(location)
        return location if length is None else (*location, length - 1)

    def _pair(self, table: Location) -> None:
        line = self._current_line()
        location = table
        for part in self._key():
            location = (*location, part)
            self._note(location, line)
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value(location)

    def _key(self) -> list[str]:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            parts.append(_unquoted(self._take(_KEY_PART)))
            self._skip(_SPACE)
            if not self._text.startswith(".", self._at):
                return parts
            self._at += 1

    def _value(self, location: Location) -> None:
        opening = self._text[self._at]
        if opening == "[":
            self._elements("]", location)
        elif opening == "{":
            self._elements("}", location)
        else:
            self._take(_STRING if opening in "\"'" else _SCALAR)

    def _elements(self, closing: str, location: Location) -> None:
        """Pass an array or an inline table."""
        self._at += 1
        index = 0
        self._skip(_BLANK)
        while self._text[self._at] != closing:
            if closing == "]":
                element = (*location, index)
                self._note(element, self._current_line())
                self._value(element)
                index += 1
            else:
                self._pair(location)
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
                self._skip(_BLANK)
        self._at += 1

    def _note(self, location: Location, line: int) -> None:
        self._lines.setdefault(location, line)

    def _current_line(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line

    def _skip(self, pattern: re.Pattern[str]) -> None:
        self._take(pattern)

    def _take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._at)
        if match is None:
            raise ValueError(f"no valid TOML at character {self._at}")
        self._at = match.end()
        return match[0]


def _unquoted(part: str) -> str:
    if part[0] == "'":
        return part[1:-1]
    if part[0] == '"':
        return str(tomllib.loads(f"key = {part}")["key"])
    return part
