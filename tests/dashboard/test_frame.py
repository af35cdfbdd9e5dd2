import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment, Segments

from station.dashboard.cells import strip_width
from station.dashboard.event import JobEnded
from station.dashboard.face import face_of
from station.dashboard.frame import Frame, compose
from station.dashboard.letters import SIZES, draw
from station.dashboard.snapshot import StationSnapshot, Tile, TileState
from station.dashboard.words import HUNG, Act, Advice, advice_on
from station.device.drive import DriveInfo
from station.verdict import PASSED, FailReason, RefusalReason, Verdict, failed, refused
from tests.dashboard.samples import (
    CRUZER,
    EVERY_VERDICT,
    NOON,
    done,
    hung,
    snapshots,
    station,
    working,
)


def lines_of(frame: Frame) -> list[str]:
    return ["".join(segment.text for segment in row) for row in frame.rows()]


def screen(snapshot: StationSnapshot, width: int = 80, height: int = 24) -> str:
    return "\n".join(lines_of(compose(snapshot, (), width, height)))


@given(snapshots, st.integers(1, 130), st.integers(1, 45))
@settings(max_examples=150)
def test_a_frame_covers_every_cell_of_any_screen_once(
    snapshot: StationSnapshot, width: int, height: int
) -> None:
    frame = compose(snapshot, (JobEnded(NOON, "A1", CRUZER, 1, PASSED),), width, height)

    assert [strip_width(row) for row in frame.rows()] == [width] * height
    assert all(
        following.y > patch.y or following.x == patch.x + strip_width(patch.strip)
        for patch, following in zip(frame.patches, frame.patches[1:], strict=False)
    )


@given(snapshots)
@settings(max_examples=50)
def test_no_stick_can_send_a_control_character_to_the_screen(snapshot: StationSnapshot) -> None:
    text = screen(snapshot).replace("\n", "")

    assert text.isprintable()


@pytest.mark.parametrize(
    ("verdict", "advice"),
    [(verdict, advice_on(verdict)) for verdict in EVERY_VERDICT] + [(None, HUNG)],
)
def test_a_verdict_shows_word_result_and_reason_whole_at_80x24_with_8_ports(
    verdict: Verdict | None, advice: Advice
) -> None:
    tile = hung("A1") if verdict is None else done("A1", verdict)
    snapshot = station(tile, *(Tile(f"A{port}") for port in range(2, 9)))
    rows = [line[:20] for line in lines_of(compose(snapshot, (), 80, 24))[3:13]]
    text = " ".join(" ".join(row[1:-1].split()) for row in rows)

    assert " A1 " in rows[0]
    for drawn in draw(advice.act.value, SIZES[-1]):
        assert any(drawn in row for row in rows)
    assert advice.result in text
    assert advice.sentence in text


def test_a_working_port_shows_stick_stage_bar_speed_and_time_left() -> None:
    text = screen(station(*(working(f"A{port}") for port in range(1, 9))))

    for expected in ("SanDisk", "8 GB", "load", "23.4 MB/s", "25 %", "4:12 left", "████", "░░░░"):
        assert text.count(expected) >= 8
    for drawn in draw("WAIT", SIZES[-1]):
        assert text.count(drawn) == 8


@pytest.mark.parametrize(
    ("ports", "width", "height"), [(8, 80, 24), (16, 120, 40), (40, 220, 60), (64, 220, 60)]
)
def test_every_port_is_labelled_on_the_usual_screens(ports: int, width: int, height: int) -> None:
    text = screen(station(*(Tile(f"P{port}") for port in range(ports))), width, height)

    assert all(f" P{port} " in text for port in range(ports))


def test_an_empty_port_asks_for_a_stick_until_the_station_drains() -> None:
    assert "insert a stick" in screen(station(Tile("A1")))

    drained = screen(station(Tile("A1"), draining=True))

    assert "insert a stick" not in drained
    assert "DRAINING: finishing the sticks under way, insert no more" in drained


@pytest.mark.parametrize(("width", "height"), [(40, 10), (20, 5), (80, 24)])
def test_draining_is_said_on_every_screen(width: int, height: int) -> None:
    text = screen(
        station(*(working(f"A{port}") for port in range(8)), draining=True), width, height
    )

    assert "DRAINING" in text


def test_the_header_tells_of_the_station_as_a_whole() -> None:
    text = screen(station(Tile("A1")))

    for expected in (
        "players-8gb",
        "batch saturday",
        "12 passed",
        "3 failed",
        "1 refused",
        "today",
        "write 123 MB/s",
        "read 41 MB/s",
        "cpu 37 %",
        "mem 42 %",
        "12:34",
    ):
        assert expected in text


def test_what_does_not_fit_is_counted_and_waits_for_nobody() -> None:
    ports = [working(f"W{port}") for port in range(40)] + [done("Z9", PASSED)]
    text = screen(station(*ports), 40, 10)

    assert "Z9" in text
    assert "+26 more ports" in text


def test_hidden_ports_that_need_a_hand_are_counted_on_their_own() -> None:
    ports = [done(f"D{port}", PASSED) for port in range(30)]

    assert "+13 more, 13 need you" in screen(station(*ports), 50, 11)


def test_acts_differ_in_shape_without_any_colour() -> None:
    ends = {
        Act.PULL: done("A1", PASSED),
        Act.BIN: done("A1", failed(FailReason.IO_ERROR)),
        Act.REDO: done("A1", failed(FailReason.REMOVED)),
        Act.WAIT: working("A1"),
        Act.INSERT: Tile("A1"),
    }
    corners = {
        act: lines_of(compose(station(tile), (), 80, 24))[3][:2] for act, tile in ends.items()
    }

    assert len(set(corners.values())) == len(ends)


def test_a_hostile_name_is_escaped_in_its_tile() -> None:
    drive = DriveInfo("/dev/sdq", 8_000_000_000, vendor="[red]\x1b[2J", model="\u202e\n\x00x")
    text = screen(station(working("A1", drive)))

    assert "[red]\\x1b[2J \\u202e \\x00x" in text


def test_korean_names_are_cut_to_the_cell() -> None:
    drive = DriveInfo("/dev/sdq", 64_000_000_000, vendor="삼성전자", model="바 플러스 메모리")
    frame = compose(station(*(working(f"A{port}", drive) for port in range(8))), (), 80, 24)

    assert "│삼성전자 바… 64 GB│" in lines_of(frame)[4]
    assert {strip_width(row) for row in frame.rows()} == {80}


def test_only_changed_strips_are_drawn_again() -> None:
    before = compose(station(working("A1"), Tile("A2")), (), 80, 24)
    after = compose(station(working("A1"), done("A2", PASSED)), (), 80, 24)
    changes = after.changes_since(before)

    assert compose(station(working("A1"), Tile("A2")), (), 80, 24).changes_since(before) == ()
    assert changes
    assert {patch.x for patch in changes} == {40}
    assert after.changes_since(None) == after.patches


def test_a_screen_of_another_size_is_drawn_whole() -> None:
    before = compose(station(Tile("A1")), (), 80, 24)
    after = compose(station(Tile("A1")), (), 81, 24)

    assert after.changes_since(before) == after.patches


def test_the_newest_verdicts_stay_readable_after_their_stick_is_gone() -> None:
    recent = (
        JobEnded(NOON, "B2", CRUZER, 2, refused(RefusalReason.TOO_SMALL)),
        JobEnded(NOON, "A1", CRUZER, 1, PASSED),
    )
    last = lines_of(compose(station(Tile("A1")), recent, 80, 24))[-1]

    assert last.index("B2 ⚠ NOT TOUCHED") < last.index("A1 ✔ PASS")


def test_no_percentage_is_rounded_up_to_done() -> None:
    tile = Tile("A1", TileState.WORKING, CRUZER, job_fraction=0.9999, stage_fraction=0.9999)

    assert face_of(tile, draining=False).job_percent == 99


def test_without_colour_the_words_and_the_fill_are_left() -> None:
    def painted(*, no_color: bool) -> str:
        file = io.StringIO()
        console = Console(
            file=file,
            width=80,
            height=24,
            force_terminal=True,
            color_system="truecolor",
            no_color=no_color,
        )
        snapshot = station(done("A1", PASSED), done("A2", failed(FailReason.IO_ERROR)))
        for row in compose(snapshot, (), 80, 24).rows():
            console.print(Segments([*row, Segment.line()]), end="", crop=False)
        return file.getvalue()

    colourless = painted(no_color=True)

    assert "38;2;" in painted(no_color=False)
    assert "38;" not in colourless
    assert "48;" not in colourless
    assert "\x1b[7m" in colourless
    for expected in ("✔ PASS", "ready: pull it out", "✖ FAIL", "broken: reading or writing failed"):
        assert expected in colourless


def test_the_tile_of_a_counterfeit_names_what_it_says_and_what_it_holds() -> None:
    verdict = failed(FailReason.FAKE_CAPACITY, "says 64 GB, holds 7.6 GB")
    seen = " ".join(screen(station(done("A1", verdict))).split())

    assert "says 64 GB, holds 7.6 GB" in seen
