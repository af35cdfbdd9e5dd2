import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.content.manifest import (
    LARGEST_MANIFEST_BYTES,
    Manifest,
    ManifestFile,
    format_manifest,
    load_manifest,
    long_paths,
    parse_manifest,
)
from station.content.rules import tree_problems
from station.errors import OperatorError

DIGEST = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"

paths = st.lists(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=10),
    min_size=1,
    max_size=3,
).map("/".join)
manifests = st.builds(
    Manifest,
    format=st.just(1),
    name=st.sampled_from(["films", "백과사전", "a b"]),
    folder=st.sampled_from(["files/films", "../..", ".", "ü\n"]),
    generator=st.none() | st.text(st.characters(codec="utf-8")),
    files=st.lists(
        st.builds(
            ManifestFile,
            path=paths,
            size=st.integers(0, 2**32 - 1),
            blake3=st.binary(min_size=32, max_size=32).map(bytes.hex),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda file: file.path,
    )
    .map(lambda files: tuple(sorted(files, key=lambda file: file.path)))
    .filter(lambda files: not list(tree_problems(file.path for file in files))),
)


def document(**changes: object) -> dict[str, object]:
    return {
        "format": 1,
        "name": "films",
        "folder": "files/films",
        "files": [{"path": "a.mp4", "size": 0, "blake3": DIGEST}],
        **changes,
    }


def entry(**changes: object) -> dict[str, object]:
    return {"path": "a.mp4", "size": 0, "blake3": DIGEST, **changes}


def refusal(data: object) -> str:
    encoded = data if isinstance(data, bytes) else json.dumps(data).encode()
    with pytest.raises(OperatorError) as caught:
        parse_manifest(encoded, "films.json")
    return str(caught.value)


@given(manifests)
def test_a_manifest_reads_back_as_it_was_written(manifest: Manifest) -> None:
    text = format_manifest(manifest)

    assert parse_manifest(text.encode(), "films.json") == manifest


@given(manifests)
def test_each_file_has_a_line_of_its_own(manifest: Manifest) -> None:
    lines = format_manifest(manifest).split("\n")
    entries = [json.loads(line.rstrip(",")) for line in lines if line.startswith('{"path"')]

    assert [found["path"] for found in entries] == [file.path for file in manifest.files]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_manifest_or_refused(data: bytes) -> None:
    try:
        manifest = parse_manifest(data, "fuzz.json")
    except OperatorError:
        return

    assert isinstance(manifest, Manifest)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["format", "name", "folder", "generator", "files", "\ud800"]), json_values
    ),
    st.dictionaries(st.sampled_from(["path", "size", "blake3", "mtime"]), json_values),
)
def test_any_json_is_a_manifest_or_refused(
    changes: dict[str, object], entry_changes: dict[str, object]
) -> None:
    hostile = {**document(files=[{**entry(), **entry_changes}]), **changes}
    try:
        manifest = parse_manifest(json.dumps(hostile).encode(), "fuzz.json")
    except OperatorError:
        return

    assert parse_manifest(format_manifest(manifest).encode(), "again.json") == manifest


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (b"", "films.json: is no JSON: line 1 column 1: Expecting value"),
        (b'{\n"a": }', "films.json: is no JSON: line 2 column 6: Expecting value"),
        (b"\xff\xfe", "films.json: is no UTF-8 text at byte 0"),
        (b'{"a": 1, "a": 2}', "films.json: is no manifest: the key 'a' is repeated"),
        (b'{"a": NaN}', "films.json: is no manifest: NaN is no number"),
        (b"[" * 100_000, "films.json: is no manifest: is nested too deeply"),
        ([], "films.json: the whole: must be a table of keys and values"),
        (document(format=2), "films.json: format: 2 is not known, this station reads 1"),
        (document(format=True), "films.json: format: True is not known, this station reads 1"),
        (document(name="a/b"), "films.json: name: 'a/b' holds /, which Windows"),
        (document(name=3), "films.json: name: must be text in quotes"),
        (document(folder="/srv"), "films.json: folder: '/srv' is absolute"),
        (document(folder=""), "films.json: folder: '' is empty"),
        (document(folder="a\0"), "films.json: folder: 'a\\x00' is no path"),
        (document(files=[]), "films.json: files: lists no file"),
        (document(files=3), "films.json: files: must be a list"),
        (document(filse=3), "films.json: filse: is no known key; the nearest is 'files'"),
        (document(zzz=3), "zzz: is no known key; known keys: format, name, folder, generator, fil"),
        (document(files=[entry(), entry(size="1")]), "files[1].size: must be a whole number"),
        (document(files=[entry(size=1.5)]), "files[0].size: must be a whole number"),
        (document(files=[entry(size=True)]), "files[0].size: must be a whole number"),
        (document(files=[entry(size=-1)]), "'a.mp4' has a size below zero (-1)"),
        (document(files=[entry(size=2**32)]), "FAT32 allows 4,294,967,295 to a file; split it"),
        (document(files=[entry(blake3="AF" * 32)]), "files[0].blake3: must be 64 lower-case hex"),
        (document(files=[entry(blake3=DIGEST + "\n")]), "files[0].blake3: must be 64 lower-case"),
        (document(files=[entry(sise=1)]), "files[0].sise: is no known key; the nearest is 'size'"),
        (document(files=[{"path": "a", "size": 1}]), "files[0].blake3: is missing"),
        (document(files=[entry(path="../a")]), "'..' leaves the folder"),
        (document(files=[entry(path="a"), entry(path="A")]), "stands after 'a': files are sorted"),
        (document(files=[entry(path="a"), entry(path="a")]), "'a' is listed twice"),
        (document(files=[entry(path="\ud800")]), "'\\ud800' is no valid Unicode"),
    ],
)
def test_a_broken_manifest_is_refused_with_the_place(broken: object, problem: str) -> None:
    told = refusal(broken)

    assert problem in told
    assert "\n" not in told


def test_a_missing_format_is_not_guessed() -> None:
    without = document()
    del without["format"]

    assert "format: is missing" in refusal(without)


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    assert "is no manifest" in refusal(b'{"format": ' + b"9" * 5000 + b"}")


def test_200_000_files_load_within_seconds() -> None:
    files = tuple(
        ManifestFile(f"백과사전/{number // 500:04}/page {number:06}.html", number, DIGEST)
        for number in range(200_000)
    )
    text = format_manifest(Manifest(format=1, name="n", folder="f", files=files)).encode()
    began = time.process_time()
    manifest = parse_manifest(text, "films.json")

    # Five times what it takes on a slow machine: what must not creep in is quadratic time.
    assert time.process_time() - began < 20
    assert len(manifest.files) == 200_000


def test_a_file_too_large_for_a_manifest_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "films.json"
    with path.open("wb") as file:
        file.truncate(LARGEST_MANIFEST_BYTES + 1)
    with pytest.raises(OperatorError, match=r"is larger than 67\.1 MB, too large a manifest"):
        load_manifest(path)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_refused_and_holds_nobody_up(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "films.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(OperatorError, match=r"films\.json: (can't be read|is no regular file)"):
        load_manifest(path)


def test_paths_too_long_for_windows_are_named_but_not_refused(tmp_path: Path) -> None:
    long = "/".join(["x" * 100] * 3)
    path = tmp_path / "films.json"
    path.write_text(json.dumps(document(files=[entry(path="a"), entry(path=long)])))

    assert long_paths(load_manifest(path)) == [long]


def test_the_total_is_the_sum_of_all_sizes() -> None:
    files = (ManifestFile("a", 3, DIGEST), ManifestFile("b", 4, DIGEST))

    assert Manifest(format=1, name="n", folder="f", files=files).total_bytes == 7
