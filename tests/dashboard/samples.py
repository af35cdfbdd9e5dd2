"""Ports in every state, and Hypothesis strategies for what may stand on them."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from station.dashboard.snapshot import StationSnapshot, Tile, TileState
from station.device.drive import DriveInfo
from station.job.state import Stage
from station.verdict import PASSED, FailReason, RefusalReason, Verdict, failed, refused

NOON = datetime(2025, 11, 20, 12, 3, 7, tzinfo=UTC)
CRUZER = DriveInfo(
    "/dev/sdq", 8_000_000_000, diskseq=41, vendor="SanDisk", model="Cruzer", serial="4C53"
)
EVERY_VERDICT = (
    PASSED,
    *(failed(reason) for reason in FailReason),
    *(refused(reason) for reason in RefusalReason),
)


def working(label: str, drive: DriveInfo = CRUZER) -> Tile:
    return Tile(
        label,
        TileState.WORKING,
        drive,
        stage=Stage.LOAD,
        stage_fraction=0.5,
        job_fraction=0.25,
        speed_bytes_per_s=23.4e6,
        left_s=252.0,
    )


def done(label: str, verdict: Verdict, drive: DriveInfo = CRUZER) -> Tile:
    return Tile(label, TileState.DONE, drive, verdict=verdict)


def hung(label: str) -> Tile:
    return Tile(label, TileState.HUNG, CRUZER, verdict=failed(FailReason.STALLED))


def station(*tiles: Tile, draining: bool = False, profile: str = "players-8gb") -> StationSnapshot:
    return StationSnapshot(
        profile=profile,
        batch="saturday",
        passed=12,
        failed=3,
        refused=1,
        write_bytes_per_s=123e6,
        read_bytes_per_s=41e6,
        cpu_percent=37.0,
        memory_percent=42.0,
        draining=draining,
        elapsed_s=754.0,
        tiles=tiles,
    )


# What a malicious stick may call itself: all of Unicode, with the worst of it more often.
hostile_text = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\x00\x07\x1b\x7f\x9b\n\r\t\u200f\u202e\u2028\ufe0f\u0301\ud800[]/한글🎞"),
    ),
    max_size=30,
)
drives = st.builds(
    DriveInfo,
    node=st.just("/dev/sdq"),
    capacity_bytes=st.integers(0, 4 * 10**12),
    vendor=hostile_text,
    model=hostile_text,
)
verdicts = st.sampled_from(EVERY_VERDICT)
fractions = st.floats(0, 1)
tiles = st.one_of(
    st.builds(Tile, hostile_text),
    st.builds(Tile, hostile_text, st.just(TileState.STARTING), drives),
    st.builds(
        Tile,
        hostile_text,
        st.just(TileState.WORKING),
        drives,
        stage=st.sampled_from(Stage),
        stage_fraction=fractions,
        job_fraction=fractions,
        speed_bytes_per_s=st.none() | st.floats(0, 1e12),
        left_s=st.none() | st.floats(0, 1e7) | st.just(float("inf")),
    ),
    st.builds(
        Tile,
        hostile_text,
        st.sampled_from((TileState.DONE, TileState.HUNG)),
        drives,
        verdict=verdicts,
    ),
)
snapshots = st.builds(
    StationSnapshot,
    profile=hostile_text,
    batch=hostile_text,
    passed=st.integers(0, 10**6),
    failed=st.integers(0, 10**6),
    refused=st.integers(0, 10**6),
    write_bytes_per_s=st.floats(0, 1e12),
    read_bytes_per_s=st.floats(0, 1e12),
    cpu_percent=st.floats(0, 100),
    memory_percent=st.floats(0, 100),
    draining=st.booleans(),
    elapsed_s=st.floats(0, 1e7),
    tiles=st.lists(tiles, max_size=12).map(tuple),
)
