import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from station.content.b3sum import Checksum, checksum_lines, format_checksum, parse_checksums
from station.content.manifest import Manifest, ManifestFile
from station.errors import OperatorError

Plant = Callable[[Mapping[str, bytes]], Path]

CONTENT = {"a/film (1).mp4": b"film", "가나다.mp4": b"", " lead": b"1", "🎬": b"2"}
DIGEST = blake3(b"").hexdigest()

checksums = st.builds(
    Checksum,
    path=st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), min_size=1),
    blake3=st.binary(min_size=32, max_size=32).map(bytes.hex),
)


def test_stock_b3sum_accepts_an_export(plant: Plant, tmp_path: Path) -> None:
    folder = plant(CONTENT)
    files = tuple(
        ManifestFile(path, len(content), blake3(content).hexdigest())
        for path, content in CONTENT.items()
    )
    manifest = Manifest(format=1, name="n", folder="content", files=files)
    (tmp_path / "sums").write_text("".join(checksum_lines(manifest)))
    judged = subprocess.run(
        ["b3sum", "--check", "../sums"], cwd=folder, capture_output=True, text=True, check=False
    )

    assert judged.returncode == 0, judged.stderr
    assert judged.stdout.count(": OK\n") == len(CONTENT)


@pytest.mark.parametrize("name", ["plain", "back\\slash", "line\nfeed", "\\n", "both\\\n", "가"])
def test_what_stock_b3sum_prints_is_read_and_written_alike(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"content")
    printed = subprocess.run(
        ["b3sum", "--", name], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    expected = Checksum(name, blake3(b"content").hexdigest())

    assert parse_checksums(printed, "sums") == [expected]
    assert format_checksum(expected).encode() == printed


@given(st.lists(checksums))
def test_lines_read_back_as_they_were_written(given_sums: list[Checksum]) -> None:
    text = "".join(map(format_checksum, given_sums))

    assert parse_checksums(text.encode(), "sums") == given_sums


@given(st.binary())
def test_any_bytes_are_checksums_or_refused(data: bytes) -> None:
    try:
        found = parse_checksums(data, "sums")
    except OperatorError:
        return

    assert len(found) == len(data.splitlines())


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"no digest  path",
        DIGEST.encode() + b" path",
        DIGEST.upper().encode() + b"  path",
        DIGEST.encode() + b"  ",
        DIGEST.encode() + b"  a\0b",
        DIGEST.encode() + b"  caf\xe9",
        b"\\" + DIGEST.encode() + b"  a\\tb",
        b"\\" + DIGEST.encode() + b"  a\\",
    ],
)
def test_a_line_that_b3sum_never_prints_is_refused_by_its_number(line: bytes) -> None:
    first = format_checksum(Checksum("a", DIGEST)).encode()
    with pytest.raises(OperatorError, match=r"^sums:2: is no line of b3sum"):
        parse_checksums(first + line + b"\n", "sums")


def test_line_ends_of_windows_are_taken() -> None:
    assert parse_checksums(f"{DIGEST}  {os.sep}a\r\n".encode(), "s") == [Checksum("/a", DIGEST)]
