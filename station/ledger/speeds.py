"""A stage's speeds as columns of a verdict, and back."""

from sqlalchemy import REAL, CheckConstraint, Column, Integer, Row

from station.job.quality import SpeedProfile


def _names(stage: str) -> tuple[str, str, str, str]:
    return (
        f"{stage}_slowest_bytes_per_s",
        f"{stage}_median_bytes_per_s",
        f"{stage}_fastest_bytes_per_s",
        f"{stage}_slowest_at_bytes",
    )


def speed_columns(stage: str) -> list[Column[float] | Column[int]]:
    """The columns: three speeds in bytes per second, and where the slowest region begins."""
    *speeds, at = _names(stage)
    return [*(Column(name, REAL) for name in speeds), Column(at, Integer)]


def speeds_are_whole(stage: str) -> CheckConstraint:
    """The rule that they are all there or none, and in their order."""
    slowest, median, fastest, at = _names(stage)
    none = " AND ".join(f"{name} IS NULL" for name in _names(stage))
    # SQLite takes a CHECK that is NULL for kept, hence each IS NOT NULL.
    every = " AND ".join(f"{name} IS NOT NULL" for name in _names(stage))
    ordered = f"0 < {slowest} AND {slowest} <= {median} AND {median} <= {fastest} AND 0 <= {at}"
    return CheckConstraint(f"({none}) OR ({every} AND {ordered})", name=f"{stage}_speeds_are_whole")


def speed_values(stage: str, profile: SpeedProfile | None) -> dict[str, float | None]:
    """What to write into the columns."""
    if profile is None:
        return dict.fromkeys(_names(stage))
    values = (
        profile.slowest_bytes_per_s,
        profile.median_bytes_per_s,
        profile.fastest_bytes_per_s,
        profile.slowest_at_bytes,
    )
    return dict(zip(_names(stage), values, strict=True))


def speed_profile_of(stage: str, row: Row[tuple[object, ...]]) -> SpeedProfile | None:
    """What stands in the columns of a row."""
    values = [getattr(row, name) for name in _names(stage)]
    return None if None in values else SpeedProfile(*values)
