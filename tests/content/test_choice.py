from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station.content.choice import choose
from station.content.selection import Offer, SelectedFile
from station.errors import DriveTooSmallError
from station.image.geometry import Geometry, plan_geometry
from station.image.planner import plan_volume
from station.image.tree import FileEntry
from station.units import MIB

STICK = plan_geometry(40 * MIB)


def offer(name: str, *sizes_bytes: int, is_required: bool = False) -> Offer:
    files = (
        SelectedFile(FileEntry(f"{name}/{index}.bin", size), Path(name), f"{index}.bin", bytes(32))
        for index, size in enumerate(sizes_bytes)
    )
    return Offer(name, is_required, tuple(files))


def taken(offers: Sequence[Offer], geometry: Geometry = STICK) -> str:
    return " ".join(o.name for o in choose(offers, geometry, has_label=True).taken)


def test_a_drive_takes_what_fits_in_the_order_of_the_profile() -> None:
    assert taken([offer("b", 15 * MIB), offer("a", 15 * MIB), offer("c", 15 * MIB)]) == "b a"


def test_a_smaller_bundle_is_taken_after_one_that_did_not_fit() -> None:
    assert taken([offer("a", 30 * MIB), offer("b", 20 * MIB), offer("c", 5 * MIB)]) == "a c"


def test_what_is_required_has_its_room_before_anything_optional() -> None:
    offers = [offer("a", 30 * MIB), offer("b", 20 * MIB, is_required=True), offer("c", MIB)]

    assert taken(offers) == "b c"


def test_the_selection_keeps_the_profiles_order_and_names_what_was_left_out() -> None:
    offers = [offer("a", MIB), offer("b", 50 * MIB), offer("c", MIB, 2, is_required=True)]
    selection = choose(offers, STICK, has_label=True)

    assert selection.taken == (offers[0], offers[2])
    assert selection.left_out == (offers[1],)
    assert [file.entry.path for file in selection.files] == ["a/0.bin", "c/0.bin", "c/1.bin"]
    assert offers[2].total_bytes == MIB + 2


def test_a_drive_without_room_for_what_is_required_is_too_small_and_the_error_says_by_what() -> (
    None
):
    offers = [offer(name, 20 * MIB, is_required=True) for name in ("films", "songs")]

    with pytest.raises(DriveTooSmallError) as caught:
        choose(offers, STICK, has_label=True)
    assert str(caught.value) == (
        "the required bundles (films, songs) need 41.9 MB, a drive of 41.9 MB has room for"
        f" {STICK.data_bytes / 10**6:.3g} MB."
        " Use larger drives, or make a bundle optional in the profile."
    )


@pytest.mark.parametrize(("spare_clusters", "chosen"), [(0, "z a"), (-1, "z")])
def test_a_bundle_that_fits_to_the_last_cluster_is_taken_and_one_cluster_more_is_not(
    spare_clusters: int, chosen: str
) -> None:
    # The root, the folders of both bundles, and the one byte of the first take a cluster each.
    clusters = STICK.cluster_count - 4 - spare_clusters

    assert taken([offer("z", 1), offer("a", clusters * STICK.cluster_bytes)]) == chosen


bundles = st.lists(
    st.tuples(st.booleans(), st.lists(st.integers(0, 20 * MIB), max_size=6)), max_size=6
)


def test_a_drive_for_which_every_bundle_is_too_large_is_refused_and_not_made_empty() -> None:
    with pytest.raises(DriveTooSmallError, match="none of the bundles fits: the smallest, b,"):
        taken([offer("a", 80 * MIB), offer("b", 50 * MIB)])


@settings(deadline=None)
@given(bundles=bundles, has_label=st.booleans())
def test_what_was_chosen_can_always_be_laid_out_and_what_was_left_out_could_not_be_added(
    bundles: list[tuple[bool, list[int]]], *, has_label: bool
) -> None:
    offers = [
        offer(f"bundle {number}", *sizes, is_required=required)
        for number, (required, sizes) in enumerate(bundles)
    ]
    label = "TEST" if has_label else ""

    def lay_out(some: Sequence[Offer]) -> None:
        plan_volume([file.entry for o in some for file in o.files], STICK, label=label)

    try:
        selection = choose(offers, STICK, has_label=has_label)
    except DriveTooSmallError:
        required = [o for o in offers if o.is_required]
        for least in [required] if required else [[o] for o in offers]:
            with pytest.raises(DriveTooSmallError):
                lay_out(least)
        return

    lay_out(selection.taken)
    assert {id(o) for o in selection.taken} >= {id(o) for o in offers if o.is_required}
    for left in selection.left_out:
        before = [
            o for o in selection.taken if o.is_required or offers.index(o) < offers.index(left)
        ]
        with pytest.raises(DriveTooSmallError):
            lay_out([*before, left])
