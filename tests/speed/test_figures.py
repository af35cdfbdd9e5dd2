import io
import json
from pathlib import Path

from rich.console import Console

from scripts.benchmarks.figures import RATIO, Line, Missing, at_least, at_most
from scripts.benchmarks.report import print_json, table_of
from scripts.benchmarks.workbench import Workbench, ratios


def test_one_disturbed_round_does_not_change_the_figure() -> None:
    assert Line("x", "s", (1.0, 1.1, 9.0)).median == 1.1


def test_a_cost_may_reach_its_bound_and_not_exceed_it() -> None:
    assert Line("x", RATIO, (1.02,), at_most(1.02)).is_met is True
    assert Line("x", RATIO, (1.03,), at_most(1.02)).is_met is False


def test_a_gain_may_reach_its_bound_and_not_fall_short_of_it() -> None:
    assert Line("x", RATIO, (0.9,), at_least(0.9)).is_met is True
    assert Line("x", RATIO, (0.89,), at_least(0.9)).is_met is False


def test_what_has_no_bound_is_neither_met_nor_missed() -> None:
    assert Line("x", RATIO, (7.0,)).is_met is None


def test_two_things_are_measured_in_turn_and_each_begins_every_other_round(
    tmp_path: Path,
) -> None:
    called: list[str] = []

    def first() -> float:
        called.append("first")
        return 6.0

    def second() -> float:
        called.append("second")
        return 3.0

    pairs = Workbench(tmp_path, tmp_path, rounds=3).paired(first, second)

    assert called == ["first", "second", "second", "first", "first", "second"]
    assert ratios(pairs) == (2.0, 2.0, 2.0)


def test_the_table_says_what_is_not_met() -> None:
    console = Console(file=io.StringIO(), record=True, width=120)
    lines = [Line("good", RATIO, (1.0,), at_most(1.02)), Line("bad", RATIO, (1.5,), at_most(1.02))]

    console.print(table_of(lines, "a machine"))

    text = console.export_text()
    [good] = [line for line in text.splitlines() if "good" in line]
    [bad] = [line for line in text.splitlines() if "bad" in line]
    assert good.rstrip().endswith("≤ 1.02  met")
    assert bad.rstrip().endswith("NOT MET")


def test_each_line_is_one_json_object_with_runs_median_and_spread() -> None:
    stream = io.StringIO()

    print_json(Console(file=stream, width=20), "stick", Line("a b", "s", (3.0, 1.0), at_most(9)))

    assert json.loads(stream.getvalue()) == {
        "benchmark": "stick",
        "name": "a b",
        "unit": "s",
        "runs": 2,
        "median": 2.0,
        "lowest": 1.0,
        "highest": 3.0,
        "wanted": "≤ 9",
        "met": True,
    }


def test_what_could_not_be_measured_is_in_the_table_with_its_remedy() -> None:
    console = Console(file=io.StringIO(), record=True, width=120)

    console.print(table_of([Missing("a peer", "it is not installed: do this")], "a machine"))

    [line] = [line for line in console.export_text().splitlines() if "a peer" in line]
    assert line.split("  ")[0].strip() == "a peer: it is not installed: do this"
    assert line.rstrip().endswith("MISSING")


def test_what_could_not_be_measured_is_a_json_object_with_its_remedy() -> None:
    stream = io.StringIO()

    print_json(Console(file=stream), "peers", Missing("a peer", "do this"))

    assert json.loads(stream.getvalue()) == {
        "benchmark": "peers",
        "name": "a peer",
        "missing": "do this",
    }
