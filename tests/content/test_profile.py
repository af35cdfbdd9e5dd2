from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.content.profile import (
    LARGEST_PROFILE_BYTES,
    BundleChoice,
    DriveLimits,
    EraseOptions,
    ErasePolicy,
    Profile,
    ReadBack,
    VolumeOptions,
    load_profile,
    parse_profile,
)
from station.errors import OperatorError
from station.image.geometry import Layout

BUNDLE = '\n[[bundle]]\nmanifest = "films"\n'
FULL = b"""\
title = "Players with 8 GB"
[volume]
label = "MOVIES"
layout = "superfloppy"
[erase]
policy = "two-pass"
read_back = "sample"
[drive]
min_capacity = "7GB"
max_capacity = 300_000_000_000
[[bundle]]
manifest = "films"
target = "Video/films"
[[bundle]]
manifest = "books"
required = false
"""


def refusal(text: str) -> str:
    with pytest.raises(OperatorError) as caught:
        parse_profile(text.encode(), "x", "profiles/x.toml")
    assert caught.value.remedy
    return caught.value.problem


def test_a_full_profile_is_read() -> None:
    assert parse_profile(FULL, "players", "profiles/players.toml") == Profile(
        name="players",
        title="Players with 8 GB",
        volume=VolumeOptions(label="MOVIES", layout=Layout.SUPERFLOPPY),
        erase=EraseOptions(policy=ErasePolicy.TWO_PASS, read_back=ReadBack.SAMPLE),
        drive=DriveLimits(min_capacity=7 * 10**9, max_capacity=300 * 10**9),
        bundles=(
            BundleChoice(manifest="films", target="Video/films"),
            BundleChoice(manifest="books", required=False),
        ),
    )


def test_only_a_bundle_is_needed_and_the_defaults_are_the_safe_ones() -> None:
    profile = parse_profile(BUNDLE.encode(), "x", "profiles/x.toml")

    assert profile == Profile(
        name="x",
        title="x",
        volume=VolumeOptions(label="", layout=Layout.MBR),
        erase=EraseOptions(policy=ErasePolicy.OVERWRITE, read_back=ReadBack.FULL),
        drive=DriveLimits(),
        bundles=(BundleChoice(manifest="films", required=True, target=""),),
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: bundle: is missing"),
        ("\nbundle = []", "2: bundle: lists no bundle"),
        ("titel = 'x'" + BUNDLE, "1: titel: is no known key; the nearest is 'title'"),
        ("[volume]\nlabl = 'X'" + BUNDLE, "2: volume.labl: is no known key; the nearest is 'lab"),
        (BUNDLE + "x = 1", "4: bundle[0].x: is no known key; known keys: manifest, required, ta"),
        (
            "[erase]\npolicy = 'overwrit'" + BUNDLE,
            "2: erase.policy: 'overwrit' is none of overwrite, two-pass, quick",
        ),
        ("[erase]\nread_back = 1" + BUNDLE, "2: erase.read_back: 1 is none of full, sample"),
        ("[volume]\nlayout = 'gpt'" + BUNDLE, "'gpt' is none of mbr, superfloppy"),
        ("[volume]\nlabel = 'Movies'" + BUNDLE, "'Movies' must be upper case: 'MOVIES'"),
        ("[volume]\nlabel = 'TWELVE BYTES'" + BUNDLE, "is 12 bytes long, FAT allows 11"),
        ("[volume]\nlabel = 'A.B+C'" + BUNDLE, "'A.B+C' holds + ., which FAT forbids"),
        ("[volume]\nlabel = '영화'" + BUNDLE, "'영화' must be plain ASCII"),
        ("[volume]\nlabel = ' A'" + BUNDLE, "' A' must neither begin nor end with a space"),
        ("[volume]\nlabel = 3" + BUNDLE, "2: volume.label: must be text in quotes"),
        ("volume = 3" + BUNDLE, "1: volume: must be a table of keys and values"),
        ("[drive]\nmin_capacity = '8XB'" + BUNDLE, "2: drive.min_capacity: '8XB' is no size"),
        ("[drive]\nmin_capacity = -1" + BUNDLE, "2: drive.min_capacity: -1 is no size"),
        ("[drive]\nmin_capacity = true" + BUNDLE, "2: drive.min_capacity: True is no size"),
        (
            "[drive]\nmin_capacity = '8GB'\nmax_capacity = '7GB'" + BUNDLE,
            "3: drive.max_capacity: 7 GB is below min_capacity, 8 GB",
        ),
        ("[[bundle]]\nmanifest = '../a'", "2: bundle[0].manifest: '../a' is no manifest's name"),
        ("[[bundle]]\nmanifest = ''", "bundle[0].manifest: '' is no manifest's name: it is empty"),
        ("[[bundle]]\ntarget = 'a'", "1: bundle[0].manifest: is missing"),
        (BUNDLE + "required = 'yes'", "4: bundle[0].required: must be true or false"),
        (BUNDLE + "target = '../a'", "4: bundle[0].target: '../a' is no folder on a drive: '..'"),
        (BUNDLE + "target = '/a'", "4: bundle[0].target: '/a' is no folder on a drive: '' is e"),
        (BUNDLE + "target = 'CON'", "'CON' is a reserved device name"),
        (BUNDLE + BUNDLE, "6: bundle[1].manifest: 'films' is named a second time"),
        ("bundle = [{manifest = 'a'},\n{manifest = 3}]", "2: bundle[1].manifest: must be text"),
        ("name = 'x'" + BUNDLE, "1: name: is no known key"),
        ("a = \n", "1: is no TOML: Invalid value"),
        ("\n[volume", "2: is no TOML: Expected ']'"),
        ('a = """\n', "2: is no TOML: Unterminated string"),
        ("a = 1\na = 2", "2: is no TOML: Cannot overwrite a value"),
    ],
)
def test_a_broken_profile_is_refused_with_line_and_key(text: str, problem: str) -> None:
    told = refusal(text)

    assert told.startswith("profiles/x.toml:")
    assert problem in told
    assert "\n" not in told


def test_the_first_of_several_problems_is_told_in_the_order_of_the_text() -> None:
    told = refusal("[volume]\nlabel = 'low'\n[erase]\npolicy = 'x'\n[[bundle]]\nx = 1")

    assert told.startswith("profiles/x.toml:2: volume.label: ")
    assert told.endswith(" (and 3 more problems)")


@pytest.mark.parametrize("hostile", ["a = " + "[" * 30_000, "a = " + "9" * 5_000])
def test_hostile_values_are_refused(hostile: str) -> None:
    assert refusal(hostile).startswith("profiles/x.toml: is n")


def test_text_that_is_no_utf8_is_refused_by_its_line() -> None:
    with pytest.raises(OperatorError, match=r"^profiles/x\.toml:2: is no UTF-8 text"):
        parse_profile(b"\n\xff", "x", "profiles/x.toml")


def test_a_decomposed_target_is_composed() -> None:
    profile = parse_profile((BUNDLE + 'target = "e\u0301"').encode(), "x", "profiles/x.toml")

    assert profile.bundles[0].target == "é"


@given(st.binary(max_size=100))
def test_any_bytes_are_a_profile_or_refused(data: bytes) -> None:
    try:
        profile = parse_profile(data, "x", "x.toml")
    except OperatorError:
        return

    assert profile.bundles


FRAGMENTS = ["[volume]\n", "[[bundle]]\n", "[drive]\n", "label", "manifest", " = ", '"x"', "{", "}"]


@given(st.lists(st.sampled_from([*FRAGMENTS, "[", "]", "\n", ".", "1", ",", "'", "#"])))
def test_any_mixture_of_toml_is_a_profile_or_refused(parts: list[str]) -> None:
    try:
        profile = parse_profile("".join(parts).encode(), "x", "x.toml")
    except OperatorError:
        return

    assert profile.bundles


def test_the_name_of_a_profile_is_that_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "players.toml").write_bytes(FULL)

    assert load_profile(tmp_path / "players.toml").name == "players"


def test_a_file_too_large_or_unreadable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "large.toml").write_bytes(b"#" * (LARGEST_PROFILE_BYTES + 1))
    with pytest.raises(OperatorError, match="too large a profile"):
        load_profile(tmp_path / "large.toml")
    with pytest.raises(OperatorError, match="can't be read: Is a directory"):
        load_profile(tmp_path)
