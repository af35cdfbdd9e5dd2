"""One JSON object a line, for machines: the contract of `--view json`."""

import json
import math
from collections.abc import Callable
from typing import IO

from station.dashboard.event import (
    DriveInserted,
    DriveRemoved,
    JobEnded,
    LinksMeasured,
    RunEnded,
    StageBegan,
    StageProgressed,
    StationEvent,
)
from station.dashboard.sink import LineSink
from station.dashboard.snapshot import StationSnapshot
from station.device.drive import DriveInfo
from station.usb.bus import Link
from station.verdict import Outcome

JsonObject = dict[str, object]


class JsonLinesView:
    """Writes each event as one object of ASCII, so that no reader and no terminal can stumble."""

    def __init__(self, stream: IO[str]) -> None:
        self._sink = LineSink(stream)

    def start(self, sample: Callable[[], StationSnapshot]) -> None:
        """Do nothing: lines come from events alone."""

    def tell(self, event: StationEvent) -> None:
        """Write the event's object."""
        self._sink.write_line(json.dumps(json_object(event), allow_nan=False))

    def stop(self) -> None:
        """End the lines. Raises StationFaultError when some could not be written."""
        self._sink.close()


def json_object(event: StationEvent) -> JsonObject:
    """Turn an event into its object.

    Every object has `event`, `time` (RFC 3339, with the offset from UTC), `port` and `drive`; a
    `summary` and `links` have null for the last two. Strings of a stick are given as they are.
    Numbers that are unknown are null.
    """
    match event:
        case DriveInserted():
            return _of_drive("inserted", event)
        case DriveRemoved():
            return _of_drive("removed", event)
        case StageBegan():
            return _of_drive("stage", event) | {
                "job": event.job,
                "stage": event.stage.value,
                "total_bytes": event.total_bytes,
            }
        case StageProgressed():
            return _of_drive("progress", event) | {
                "job": event.job,
                "stage": event.stage.value,
                "done_bytes": event.done_bytes,
                "total_bytes": event.total_bytes,
                "speed_bytes_per_s": _finite(event.speed_bytes_per_s),
                "left_s": _finite(event.left_s),
            }
        case JobEnded():
            verdict = event.verdict
            name = "refused" if verdict.outcome is Outcome.REFUSED else "verdict"
            return _of_drive(name, event) | {
                "job": event.job,
                "verdict": verdict.outcome.value,
                "reason": None if verdict.reason is None else verdict.reason.value,
                "detail": verdict.detail,
            }
        case RunEnded():
            return _of_run("summary", event) | {
                "passed": event.passed,
                "failed": event.failed,
                "refused": event.refused,
                "elapsed_s": _finite(event.elapsed_s),
                "notes": list(event.notes),
                "full_links": [
                    _link(use.link, use.labels) | {"full_s": use.full_s} for use in event.full_links
                ],
            }
        case LinksMeasured():
            return _of_run("links", event) | {
                "links": [
                    _link(load.link, load.labels)
                    | {
                        "bytes_per_s": _finite(load.bytes_per_s),
                        "capacity_bytes_per_s": load.link.capacity_bytes_per_s,
                        "full": load.is_full,
                    }
                    for load in event.loads
                ]
            }


def _of_drive(
    name: str, event: DriveInserted | DriveRemoved | StageBegan | StageProgressed | JobEnded
) -> JsonObject:
    return {
        "event": name,
        "time": event.time.astimezone().isoformat(),
        "port": event.port,
        "drive": _drive(event.drive),
    }


def _of_run(name: str, event: LinksMeasured | RunEnded) -> JsonObject:
    time = event.time.astimezone().isoformat()
    return {"event": name, "time": time, "port": None, "drive": None}


def _link(link: Link, labels: tuple[str, ...]) -> JsonObject:
    return {
        "controller": link.controller,
        "root_port": link.root_port,
        "mbps": link.mbps,
        "ports": list(labels),
    }


def _drive(drive: DriveInfo) -> JsonObject:
    return {
        "node": drive.node,
        "serial": drive.serial,
        "vendor": drive.vendor,
        "model": drive.model,
        "capacity_bytes": drive.capacity_bytes,
        "diskseq": drive.diskseq,
    }


def _finite(number: float | None) -> float | None:
    # JSON has no infinity, which is what a stick that stands still has left.
    return number if number is not None and math.isfinite(number) else None
