"""The order in which a person expects names: 10 after 9, upper and lower case together.

Cheap players list and play in the order of the directory, whatever the names are.
"""

import re

_DIGITS = re.compile(r"(\d+)")


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Sort key of a name: text and numbers in turn, then the name itself as a tie-breaker."""
    parts: list[str | int] = []
    for position, part in enumerate(_DIGITS.split(name.casefold())):
        # The split alternates text and digits, so that text never meets a number in a comparison.
        parts.append(int(part) if position % 2 else part)
    return tuple(parts), name
