"""What a tile says: a tile's numbers as the words and figures that people see."""

import math
from dataclasses import dataclass, replace

from station.dashboard.cells import shown
from station.dashboard.snapshot import Tile, TileState
from station.dashboard.words import HUNG, Act, Advice, advice_on
from station.device.drive import DriveInfo
from station.units import format_duration, format_size, format_speed
from station.verdict import FailReason, Verdict


@dataclass(frozen=True, slots=True)
class Face:
    """A tile in words; two tiles with equal faces look the same, so drawings are kept by face.

    All strings are safe to show. Figures are rounded as they are shown, so that a face changes no
    more often than the eye can see.

    Attributes:
        label: of the port.
        act: what to do.
        stick: who made it and its model; empty without a stick.
        size: the capacity that it claims; empty without a stick.
        result: what happened, in one or two words; empty unless a verdict stands.
        sentence: why, or what is going on.
        stage: name of the stage under way; empty unless working.
        stage_percent: share of the stage that is done.
        job_percent: share of the whole job that is done; None unless working.
        speed: empty while unknown.
        left: time to the verdict; empty while unknown.
    """

    label: str
    act: Act
    stick: str = ""
    size: str = ""
    result: str = ""
    sentence: str = ""
    stage: str = ""
    stage_percent: int = 0
    job_percent: int | None = None
    speed: str = ""
    left: str = ""


def face_of(tile: Tile, *, draining: bool) -> Face:
    """Put a tile into words.

    Args:
        tile: the port to tell of.
        draining: whether no more sticks are accepted, so that an empty port asks for none.
    """
    label, stick, size = shown(tile.label), "", ""
    if tile.drive is not None:
        stick, size = stick_name(tile.drive), format_size(tile.drive.capacity_bytes)
    match tile.state:
        case TileState.EMPTY:
            sentence = "insert no more" if draining else "insert a stick"
            return Face(label, Act.INSERT, sentence=sentence)
        case TileState.STARTING:
            return Face(label, Act.WAIT, stick, size, sentence="checking the stick")
        case TileState.WORKING:
            return Face(
                label,
                Act.WAIT,
                stick,
                size,
                stage=tile.stage.value if tile.stage else "",
                stage_percent=_percent(tile.stage_fraction),
                job_percent=_percent(tile.job_fraction),
                speed=""
                if tile.speed_bytes_per_s is None
                else format_speed(tile.speed_bytes_per_s),
                left=time_left(tile.left_s),
            )
        case TileState.HUNG:
            return _advised(label, stick, size, HUNG)
        case TileState.DONE:
            if tile.verdict is None:
                raise ValueError(f"port {tile.label!r} is done without a verdict")
            return _advised(label, stick, size, _with_real_size(tile.verdict))


def _with_real_size(verdict: Verdict) -> Advice:
    """What to say about a verdict; of a counterfeit, what it says and what it holds."""
    advice = advice_on(verdict)
    if verdict.reason is FailReason.FAKE_CAPACITY and verdict.detail:
        return replace(advice, sentence=f"counterfeit: {shown(verdict.detail)}")
    return advice


def _advised(label: str, stick: str, size: str, advice: Advice) -> Face:
    return Face(label, advice.act, stick, size, result=advice.result, sentence=advice.sentence)


def stick_name(drive: DriveInfo) -> str:
    """Name a stick by what it says of itself, made safe to show; `USB stick` when it says nothing.

    Many sticks repeat the vendor at the beginning of the model; it is said once.
    """
    vendor, model = (" ".join(text.split()) for text in (drive.vendor, drive.model))
    name = model if model.casefold().startswith(vendor.casefold()) else f"{vendor} {model}"
    return shown(name.strip()) or "USB stick"


def time_left(left_s: float | None) -> str:
    """Write the time to a verdict; empty while it is unknown, or endless as on a stick at rest."""
    if left_s is None or not math.isfinite(left_s):
        return ""
    return format_duration(max(0.0, left_s))


def _percent(fraction: float) -> int:
    # Rounded down, so that 100 % is never shown before all is done.
    return max(0, min(100, int(fraction * 100)))


# What needs somebody's hand comes before what can wait.
_URGENCY = {
    TileState.HUNG: 4,
    TileState.DONE: 3,
    TileState.WORKING: 2,
    TileState.STARTING: 1,
    TileState.EMPTY: 0,
}
ACTION_URGENCY = _URGENCY[TileState.DONE]


def urgency(tile: Tile) -> int:
    """Rank a tile by how much it must be seen; from `ACTION_URGENCY` on it wants a hand."""
    return _URGENCY[tile.state]
