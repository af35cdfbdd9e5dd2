"""Which links became full, and which have room again, as lines: few of them."""

from dataclasses import dataclass
from datetime import datetime

from station.dashboard.cells import shown
from station.dashboard.event import LinksMeasured
from station.usb.bus import Link, LinkLoad

# A link is told about when it has been so for a while: loads go up and down with every stage.
_LASTS_S = 10.0


@dataclass(slots=True)
class _Told:
    """What was last said of a link, and since when that is no longer so.

    Attributes:
        is_full: what was said.
        load: the last load that agreed with it.
        differs_since: when it first did not; None while it does.
    """

    is_full: bool
    load: LinkLoad
    differs_since: datetime | None = None


class LinkLines:
    """Remembers what was told."""

    def __init__(self) -> None:
        self._told: dict[Link, _Told] = {}

    def news(self, event: LinksMeasured) -> list[str]:
        """What is worth a line each, safe to show."""
        now = {load.link: load for load in event.loads}
        lines: list[str] = []
        for link in {**self._told, **now}:
            load = now.get(link)
            is_full = load is not None and load.is_full
            told = self._told.get(link)
            if told is None:
                if load is None:
                    continue
                told = self._told[link] = _Told(is_full=False, load=load)
            if load is not None:
                told.load = load
            if is_full is told.is_full:
                told.differs_since = None
                continue
            told.differs_since = told.differs_since or event.time
            if (event.time - told.differs_since).total_seconds() >= _LASTS_S:
                told.is_full, told.differs_since = is_full, None
                lines.append(_line(told.load, is_full=is_full))
        return lines


def _line(load: LinkLoad, *, is_full: bool) -> str:
    head = f"{shown(load.ports)}: {load.link.kind} link"
    if is_full:
        return f"{head} full, {load.carried}: plug the next one elsewhere"
    return f"{head} has room again"
