import io
import struct
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.content import sample
from station.content.catalog import Catalog
from station.content.check import check_content
from station.content.manifest import Manifest
from station.content.sample import GENERATORS, GeneratedFile, ensure_generated, write_files
from station.content.sample_media import FRAMES_PER_S, film, song
from station.errors import OperatorError, StationFaultError


def two_files() -> Iterator[GeneratedFile]:
    yield GeneratedFile("b/나", (b"1", b"23"))
    yield GeneratedFile("a", (b"4",))


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    monkeypatch.setitem(GENERATORS, "small", two_files)
    files = tuple(write_files(two_files(), tmp_path / "elsewhere"))
    return Manifest(format=1, name="small", folder="files", generator="small", files=files)


@pytest.mark.parametrize("name", ["sample", "sample-films"])
def test_the_generators_make_what_is_shipped_as_list(tmp_path: Path, name: str) -> None:
    manifest = Catalog(Path(__file__).parents[2]).manifest(name)
    told: list[int] = []

    assert ensure_generated(manifest, tmp_path / "made" / name, told.append)
    assert check_content(manifest, tmp_path / "made" / name).is_clean
    assert sum(told) == manifest.total_bytes


def test_the_required_sample_fits_a_stick_of_64_mb() -> None:
    manifest = Catalog(Path(__file__).parents[2]).manifest("sample")

    assert len(manifest.files) > 2_000
    assert manifest.total_bytes < 40_000_000


def test_what_is_there_is_not_made_again(small: Manifest, tmp_path: Path) -> None:
    assert ensure_generated(small, tmp_path / "files")
    assert not ensure_generated(small, tmp_path / "files")


def test_an_empty_folder_is_filled_and_nothing_stays_beside_it(
    small: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "place/files").mkdir(parents=True)
    ensure_generated(small, tmp_path / "place/files")

    assert [path.name for path in (tmp_path / "place").iterdir()] == ["files"]
    assert check_content(small, tmp_path / "place/files").is_clean


def test_a_folder_with_something_else_is_left_alone_and_refused(
    small: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files/mine").write_bytes(b"mine")
    with pytest.raises(OperatorError, match="does not hold what manifest 'small' lists"):
        ensure_generated(small, tmp_path / "files")

    assert (tmp_path / "files/mine").read_bytes() == b"mine"


def test_a_manifest_that_people_fill_is_left_alone(small: Manifest, tmp_path: Path) -> None:
    brought = Manifest(format=1, name="n", folder="files", files=small.files)

    assert not ensure_generated(brought, tmp_path / "files")
    assert not (tmp_path / "files").exists()


def test_an_unknown_generator_is_refused(small: Manifest, tmp_path: Path) -> None:
    unknown = Manifest(format=1, name="n", folder="f", generator="magic", files=small.files)
    with pytest.raises(OperatorError, match="generator 'magic' is unknown"):
        ensure_generated(unknown, tmp_path / "files")


def test_files_that_are_not_as_listed_never_appear(small: Manifest, tmp_path: Path) -> None:
    wrong = Manifest(format=1, name="n", folder="f", generator="small", files=small.files[:1])
    with pytest.raises(StationFaultError, match="was made is not what manifest 'n' lists"):
        ensure_generated(wrong, tmp_path / "place/files")

    assert list((tmp_path / "place").iterdir()) == []


def test_a_full_disk_is_the_stations_fault_and_leaves_nothing(
    small: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sample, "write_files", fail)
    with pytest.raises(StationFaultError, match="can't be written: No space left on device"):
        ensure_generated(small, tmp_path / "place/files")

    assert list((tmp_path / "place").iterdir()) == []


def test_a_song_is_a_wave_file_of_its_length() -> None:
    with wave.open(io.BytesIO(song("tune", 3))) as opened:
        assert opened.getnframes() / opened.getframerate() == 3
        assert len(set(opened.readframes(22_050))) > 50


def test_a_film_is_a_riff_file_whose_index_leads_to_different_pictures() -> None:
    data = b"".join(film("film", 2))
    name, length, form = struct.unpack_from("<4sI4s", data)
    movie = data.index(b"movi")
    index = data.index(b"idx1") + 8
    entries = [
        struct.unpack_from("<4sIII", data, index + 16 * at) for at in range(2 * FRAMES_PER_S)
    ]
    pictures = {
        data[movie + offset + 8 : movie + offset + 8 + size] for _, _, offset, size in entries
    }

    assert (name, length, form) == (b"RIFF", len(data) - 8, b"AVI ")
    assert all(data[movie + offset :][:4] == b"00db" for _, _, offset, _ in entries)
    assert len(pictures) == 2 * FRAMES_PER_S
