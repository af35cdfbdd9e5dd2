from xml.etree import ElementTree as ET

import pytest

from station.dashboard.export import export_svg
from station.verdict import PASSED, FailReason, failed
from tests.dashboard.samples import done, station, working

SVG = "{http://www.w3.org/2000/svg}"


def picture() -> str:
    snapshot = station(working("A1"), done("A2", PASSED), done("A3", failed(FailReason.STALLED)))
    return export_svg(snapshot, 80, 24, "station <run>")


def test_a_picture_is_well_formed_and_holds_what_the_dashboard_says() -> None:
    texts = [text.text or "" for text in ET.fromstring(picture()).iter(f"{SVG}text")]  # noqa: S314 - our own output
    words = "\n".join(texts).replace("\xa0", " ")

    for expected in ("station <run>", "A1", "4:12 left", "✔ PASS", "✖ FAIL"):
        assert expected in words


def test_a_picture_loads_nothing_from_elsewhere() -> None:
    svg = picture()

    assert "@font-face" not in svg
    assert "url(http" not in svg


def test_a_picture_has_colours_whatever_the_terminal_can_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")

    assert "#5fd787" in picture()
