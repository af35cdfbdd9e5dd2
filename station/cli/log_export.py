"""Jobs as JSON and CSV, for machines and spreadsheets, one at a time however many there are."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import TextIO

from station.device.drive import DriveInfo
from station.job.quality import Quality, SpeedProfile
from station.job.state import Stage
from station.ledger.records import JobEnd, JobRow
from station.text import printable

# What makes a spreadsheet run a cell as a formula: OWASP, "CSV Injection", with the full-width
# forms that it takes as well.
_FORMULA_STARTS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_DEFUSER = "'"

_SPEED_STAGES = (Stage.LOAD, Stage.VERIFY)
_SPEED_FIGURES = tuple(figure.name for figure in fields(SpeedProfile))

CSV_COLUMNS = (
    *("job", "batch", "started", "ended", "port", "port_label"),
    *("node", "serial", "vendor", "model", "capacity_bytes", "diskseq", "sector_bytes"),
    *("usb_id", "link_mbps", "profile", "bundles", "erase", "content_bytes"),
    *("verdict", "reason", "detail", "volume_id", "written_bytes", "read_bytes"),
    *(f"{stage}_s" for stage in Stage),
    *("retries", "longest_pause_s"),
    *(f"{stage}_{figure}" for stage in _SPEED_STAGES for figure in _SPEED_FIGURES),
)


def write_json(jobs: Iterable[JobRow], to: TextIO) -> None:
    """Write a JSON list, one job a line, in ASCII; keys as in the events of `--view json`.

    Times are RFC 3339 in UTC; a job that runs has null for `ended`, `verdict` and what follows.
    """
    separator = "[\n"
    for row in jobs:
        to.write(separator + json.dumps(_json_object(row)))
        separator = ",\n"
    to.write("[]\n" if separator == "[\n" else "\n]\n")


def write_csv(jobs: Iterable[JobRow], to: TextIO) -> None:
    """Write CSV after RFC 4180, under a row of names; no cell is one that a spreadsheet runs.

    Times are RFC 3339 in UTC; bundles are joined by semicolons; what isn't known is empty.
    """
    writer = csv.DictWriter(to, CSV_COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    for row in jobs:
        writer.writerow({name: _csv_cell(value) for name, value in _csv_row(row).items()})


def defused(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula."""
    return _DEFUSER + text if text.startswith(_FORMULA_STARTS) else text


def _json_object(row: JobRow) -> dict[str, object]:
    end = row.end
    quality = end.quality if end else Quality()
    return {
        "job": row.job,
        "batch": row.batch,
        "started": _utc(row.started),
        "ended": _utc(row.ended),
        "port": row.start.drive.port,
        "port_label": row.start.port_label,
        "drive": _drive_object(row.start.drive),
        "profile": row.start.profile,
        "bundles": list(row.start.bundles),
        "erase": row.start.erase,
        "content_bytes": row.start.content_bytes,
        "verdict": end and end.verdict.outcome,
        "reason": end and end.verdict.reason,
        "detail": end and end.verdict.detail,
        "volume_id": _volume_id(end),
        "written_bytes": end and end.written_bytes,
        "read_bytes": end and end.read_bytes,
        "stage_s": end and end.stage_s,
        "retries": end and end.quality.retries,
        "longest_pause_s": end and end.quality.longest_pause_s,
        "load_speed": _speed_object(quality.load),
        "verify_speed": _speed_object(quality.verify),
    }


def _speed_object(profile: SpeedProfile | None) -> dict[str, float] | None:
    return None if profile is None else asdict(profile)


def _drive_object(drive: DriveInfo) -> dict[str, object]:
    return {
        "node": drive.node,
        "serial": drive.serial,
        "vendor": drive.vendor,
        "model": drive.model,
        "capacity_bytes": drive.capacity_bytes,
        "diskseq": drive.diskseq,
        "sector_bytes": drive.sector_bytes,
        "usb_id": drive.usb_id,
        "link_mbps": drive.link_mbps,
    }


def _csv_row(row: JobRow) -> dict[str, object]:
    """The JSON object laid flat: the drive's and the stages' fields beside the others."""
    job = _json_object(row)
    drive, stage_s = _drive_object(row.start.drive), row.end.stage_s if row.end else {}
    del job["drive"], job["stage_s"], job["load_speed"], job["verify_speed"]
    quality = row.end.quality if row.end else Quality()
    return {
        **job,
        **drive,
        "bundles": "; ".join(row.start.bundles),
        **{f"{stage}_s": stage_s.get(stage) for stage in Stage},
        **_flat_speed(Stage.LOAD, quality.load),
        **_flat_speed(Stage.VERIFY, quality.verify),
    }


def _flat_speed(stage: Stage, profile: SpeedProfile | None) -> dict[str, object]:
    speed = _speed_object(profile) or {}
    return {f"{stage}_{figure}": value for figure, value in speed.items()}


def _csv_cell(value: object) -> object:
    return defused(printable(value)) if isinstance(value, str) else value


def _utc(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _volume_id(end: JobEnd | None) -> str | None:
    """The volume's serial number as computers show it: `1A2B-3C4D`."""
    if end is None or end.volume_id is None:
        return None
    return f"{end.volume_id >> 16:04X}-{end.volume_id & 0xFFFF:04X}"
