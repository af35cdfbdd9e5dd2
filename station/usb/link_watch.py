"""How long each link was full during a run. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from station.usb.bus import Link, LinkLoad

# Between two looks farther apart nothing is known.
_LONGEST_GAP_S = 5.0


@dataclass(frozen=True, slots=True)
class LinkUse:
    """A link that was full for a while.

    Attributes:
        link: the link.
        labels: of the ports whose drives shared it then, in the order in which they did.
        full_s: for how many seconds.
    """

    link: Link
    labels: tuple[str, ...]
    full_s: float


@dataclass(slots=True)
class _Sum:
    full_s: float = 0.0
    labels: dict[str, None] = field(default_factory=dict)


class LinkWatch:
    """Adds up, from loads that are seen every second or so."""

    def __init__(self) -> None:
        self._sums: dict[Link, _Sum] = {}
        self._seen_s: float | None = None

    @property
    def uses(self) -> tuple[LinkUse, ...]:
        """The links that were full, the longest first."""
        uses = (LinkUse(link, tuple(each.labels), each.full_s) for link, each in self._sums.items())
        return tuple(sorted(uses, key=lambda use: -use.full_s))

    def see(self, loads: Sequence[LinkLoad], now_s: float) -> None:
        """Take note of the loads since the last look.

        Args:
            loads: of all links in use.
            now_s: seconds since any moment, never going back.
        """
        since_s = now_s - self._seen_s if self._seen_s is not None else 0.0
        self._seen_s = now_s
        for load in loads:
            if load.is_full:
                each = self._sums.setdefault(load.link, _Sum())
                each.full_s += min(since_s, _LONGEST_GAP_S)
                each.labels.update(dict.fromkeys(load.labels))
