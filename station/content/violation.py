"""What a typed model found wrong with a file that people wrote, in words that they understand."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from pydantic import ValidationError

Location = tuple[str | int, ...]

_LONGEST_SHOWN = 60
_MUST_BE = {
    "string_type": "must be text in quotes",
    "string_unicode": "must be valid Unicode text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "model_type": "must be a table of keys and values",
    "model_attributes_type": "must be a table of keys and values",
    "dataclass_type": "must be a table of keys and values",
    "missing": "is missing",
    # The one pattern in use is a digest's.
    "string_pattern_mismatch": "must be 64 lower-case hexadecimal digits",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that a file breaks.

    Attributes:
        location: keys and list indices that lead to the value.
        problem: completes a sentence that begins with the location.
    """

    location: Location
    problem: str


def dotted(location: Location) -> str:
    """Write a location as people do: `files[17].size`."""
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def violations(
    error: ValidationError, known_keys: Mapping[tuple[str, ...], Collection[str]]
) -> list[Violation]:
    """Put pydantic's findings into words.

    Args:
        error: what the model raised.
        known_keys: the keys that a table may have, by its location without list indices.
    """
    found: list[Violation] = []
    for detail in error.errors(include_url=False):
        location, kind, value = detail["loc"], detail["type"], detail["input"]
        if kind in ("extra_forbidden", "unexpected_keyword_argument"):
            table = tuple(step for step in location[:-1] if isinstance(step, str))
            problem = f"is no known key; {_nearest_key(str(location[-1]), known_keys[table])}"
        elif kind == "value_error":
            problem = str(detail["ctx"]["error"])
        elif kind in _MUST_BE:
            problem = _MUST_BE[kind]
        else:
            problem = f"{shown(value)}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"
        found.append(Violation(location, problem))
    return found


def and_more(count: int) -> str:
    """Say how many problems there are beside the one that was named."""
    return "" if count == 0 else f" (and {count:,} more problem{'s' if count > 1 else ''})"


def shown(value: object) -> str:
    """Quote a value from a file, cut to a length that leaves the message readable."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def none_of(value: object, choices: Iterable[Enum]) -> str:
    """Say that a value is none of the members of an enumeration."""
    return f"{shown(value)} is none of {', '.join(str(choice.value) for choice in choices)}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was most likely meant, or None when none is near."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def _nearest_key(key: str, known: Collection[str]) -> str:
    if guess := nearest(key, known):
        return f"the nearest is {guess!r}"
    return f"known keys: {', '.join(known)}"
