"""What drives and trees of files may look like."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from station.image.geometry import FEWEST_CLUSTERS, Geometry, Layout, plan_geometry
from station.image.names import folded, name_problem
from station.image.tree import FileEntry
from station.units import MIB

_SMALL_DRIVE_BYTES = {512: 40 * MIB, 4096: 300 * MIB}

layouts = st.sampled_from(Layout)
sector_sizes = st.sampled_from((512, 4096))


@st.composite
def geometries(draw: st.DrawFn, *, most_bytes: int = 2 * 10**12) -> Geometry:
    """Geometries of drives from the smallest on, of any odd size."""
    sector_bytes = draw(sector_sizes)
    assert FEWEST_CLUSTERS * sector_bytes < _SMALL_DRIVE_BYTES[sector_bytes]
    capacity_bytes = draw(st.integers(_SMALL_DRIVE_BYTES[sector_bytes], most_bytes))
    return plan_geometry(capacity_bytes, sector_bytes, draw(layouts))


def small_geometries() -> st.SearchStrategy[Geometry]:
    """Geometries of drives whose FAT fits into a test."""
    return geometries(most_bytes=600 * MIB)


_characters = st.one_of(
    st.sampled_from("aAbB1290 .~_-+[]가힣ß한😀é"),
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='\\/:*?"<>|\uffff'),
)
names = st.one_of(
    st.text(_characters, min_size=1, max_size=40),
    st.integers(1, 255).map(lambda units: "n" * units),
    st.from_regex(r"[A-C]{1,8}(\.[A-C]{1,3})?", fullmatch=True),
    st.from_regex(r"samestem[0-9a-c ]{1,3}\.(txt|html)", fullmatch=True),
).filter(lambda name: name_problem(name) is None)


def _paths(folders: Sequence[str]) -> st.SearchStrategy[str]:
    """Paths of which many share their folders."""
    return st.builds(
        lambda parts, name: "/".join([*parts, name]),
        st.lists(st.sampled_from(folders), max_size=3),
        names,
    )


def _without_conflicts(paths: Sequence[str]) -> list[str]:
    """Leave out a path of which FAT32 would take a part for the name of something else."""
    spelling: dict[str, tuple[str, bool]] = {}
    kept = []
    for path in paths:
        parts = path.split("/")
        prefixes = [
            ("/".join(parts[:depth]), depth == len(parts)) for depth in range(1, len(parts) + 1)
        ]
        keys = [folded(prefix) for prefix, _ in prefixes]
        if folded(path) not in spelling and all(
            spelling.get(key, prefix) == prefix for key, prefix in zip(keys, prefixes, strict=True)
        ):
            spelling.update(zip(keys, prefixes, strict=True))
            kept.append(path)
    return kept


@st.composite
def trees(draw: st.DrawFn, *, most_files: int = 25, largest_bytes: int = 100_000) -> Any:
    """Lists of files that can stand on one volume together."""
    folders = draw(st.lists(names, min_size=1, max_size=4))
    paths = draw(st.lists(_paths(folders), max_size=most_files))
    sizes = st.one_of(
        st.just(0), st.integers(0, largest_bytes), st.sampled_from((511, 512, 513, 4096, 32_768))
    )
    return [FileEntry(path, draw(sizes)) for path in _without_conflicts(paths)]
