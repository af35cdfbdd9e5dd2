"""Sizes, speeds and durations, as people write and read them."""

import re
from decimal import Decimal

from station.errors import OperatorError

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

_DECIMAL_STEP = 1000
_UNITS: dict[str, int] = {
    "": 1,
    "B": 1,
    **{f"{prefix}B": 1000**power for power, prefix in enumerate("KMGT", start=1)},
    **{f"{prefix}IB": 1024**power for power, prefix in enumerate("KMGT", start=1)},
}
_SIZE = re.compile(r"(?P<number>\d{1,18}(?:\.\d{1,9})?)\s*(?P<unit>[A-Za-z]{0,3})", re.ASCII)


def parse_size(text: str) -> int:
    """Read a size: `8GB` is 8·10⁹ bytes, `8GiB` 8·2³⁰, `512` plain bytes.

    Raises:
        OperatorError: when the text is no size, or no whole number of bytes.
    """
    match = _SIZE.fullmatch(text.strip())
    factor = _UNITS.get(match["unit"].upper()) if match else None
    if match is None or factor is None:
        raise OperatorError(f"{text!r} is no size", "Write it like 8GB, 7.5GB or 512MiB.")
    size_bytes = Decimal(match["number"]) * factor
    if size_bytes != int(size_bytes):
        raise OperatorError(f"{text!r} is no whole number of bytes", "Write it like 8GB or 512MiB.")
    return int(size_bytes)


def format_size(size_bytes: float) -> str:
    """Write a size in the decimal units that are printed on sticks: `7.6 GB`, `512 MB`."""
    value = float(size_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        # What would be rounded up to 1000 belongs to the next unit.
        if round(value) < _DECIMAL_STEP:
            return _three_digits(value, unit)
        value /= _DECIMAL_STEP
    return _three_digits(value, "TB")


def _three_digits(value: float, unit: str) -> str:
    return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.3g} {unit}"  # noqa: PLR2004 - three significant digits


def format_speed(bytes_per_s: float) -> str:
    """Write a speed: `23.4 MB/s`."""
    return f"{format_size(bytes_per_s)}/s"


def format_duration(seconds: float) -> str:
    """Write a duration as a clock does: `0:07`, `12:34`, `1:02:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
