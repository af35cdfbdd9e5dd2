from pathlib import Path

import pytest
from blake3 import blake3

from station.content.catalog import Catalog
from station.content.manifest import Manifest, ManifestFile, format_manifest
from station.content.offers import gather_offers, offers_as_listed
from station.content.profile import Profile
from station.errors import OperatorError

PROFILE = """
[[bundle]]
manifest = "films"
target = "영화/films"
[[bundle]]
manifest = "songs"
required = false
"""
FILMS = {"a.mp4": b"aaaa", "sub/b.mp4": b"bb"}
SONGS = {"c.mp3": b"c"}


def write_manifest(root: Path, name: str, contents: dict[str, bytes]) -> Manifest:
    files = tuple(
        ManifestFile(path, len(content), blake3(content).hexdigest())
        for path, content in sorted(contents.items())
    )
    manifest = Manifest(format=1, name=name, folder=f"../content/{name}", files=files)
    (root / "content_manifests" / f"{name}.json").write_text(format_manifest(manifest))
    for path, content in contents.items():
        target = root / "content" / name / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return manifest


def write_profile(root: Path, text: str) -> Profile:
    (root / "profiles" / "test.toml").write_text(text)
    return Catalog(root).profile("test")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A station with a profile of two bundles."""
    (tmp_path / "profiles").mkdir()
    (tmp_path / "content_manifests").mkdir()
    write_manifest(tmp_path, "films", FILMS)
    write_manifest(tmp_path, "songs", SONGS)
    return tmp_path


def test_each_bundle_becomes_an_offer_with_its_files_where_they_will_stand(root: Path) -> None:
    films, songs = gather_offers(Catalog(root), write_profile(root, PROFILE))

    assert (films.name, films.is_required) == ("films", True)
    assert (songs.name, songs.is_required) == ("songs", False)
    assert [file.entry.path for file in films.files] == [
        "영화/films/a.mp4",
        "영화/films/sub/b.mp4",
    ]
    assert [file.entry.path for file in songs.files] == ["c.mp3"]
    for offer, contents in ((films, FILMS), (songs, SONGS)):
        for file in offer.files:
            content = (file.folder / file.path).read_bytes()
            assert content == contents[file.path]
            assert (file.entry.size_bytes, file.blake3) == (len(content), blake3(content).digest())


def test_another_folder_can_take_the_place_of_those_that_manifests_name(root: Path) -> None:
    profile = write_profile(root, PROFILE)
    (root / "content").rename(root / "elsewhere")
    films, _ = gather_offers(Catalog(root), profile, root / "elsewhere")

    assert films.files[0].folder == root / "elsewhere" / "films"
    with pytest.raises(OperatorError):
        gather_offers(Catalog(root), profile)


def test_files_that_can_be_made_are_made_before_they_are_missed(root: Path) -> None:
    (root / "content/songs/c.mp3").unlink()
    asked: list[str] = []

    def generate(manifest: Manifest, folder: Path) -> None:
        asked.append(manifest.name)
        for file in manifest.files:
            (folder / file.path).write_bytes((FILMS | SONGS)[file.path])

    gather_offers(Catalog(root), write_profile(root, PROFILE), generate=generate)

    assert asked == ["films", "songs"]
    assert (root / "content/songs/c.mp3").read_bytes() == b"c"


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda path: path.unlink(), "is not there"),
        (lambda path: path.write_bytes(b"longer than listed"), "has 18 bytes instead of 4"),
    ],
    ids=["missing", "changed"],
)
def test_an_incomplete_bundle_is_refused_with_its_first_problem(
    root: Path, spoil: object, problem: str
) -> None:
    assert callable(spoil)
    spoil(root / "content/films/a.mp4")

    with pytest.raises(OperatorError) as caught:
        gather_offers(Catalog(root), write_profile(root, PROFILE))
    told = str(caught.value)
    assert told.startswith("bundle 'films' in ")
    assert "a.mp4" in told
    assert problem in told
    assert told.endswith("station manifest check content_manifests/films.json")
    assert "\n" not in told


def test_of_several_problems_the_number_is_told(root: Path) -> None:
    for path in FILMS:
        (root / "content/films" / path).unlink()

    with pytest.raises(OperatorError, match="and 1 more of 2"):
        gather_offers(Catalog(root), write_profile(root, PROFILE))


def test_a_plan_needs_no_files(root: Path) -> None:
    (root / "content").rename(root / "elsewhere")
    offers = offers_as_listed(Catalog(root), write_profile(root, PROFILE))

    assert [offer.total_bytes for offer in offers] == [6, 1]


@pytest.mark.parametrize("gather", [gather_offers, offers_as_listed])
def test_two_bundles_that_would_take_one_name_are_refused(root: Path, gather: object) -> None:
    assert callable(gather)
    write_manifest(root, "songs", {"A.MP4": b"x"})
    profile = write_profile(root, '[[bundle]]\nmanifest = "films"\n[[bundle]]\nmanifest = "songs"')

    with pytest.raises(OperatorError, match="are one name to FAT32"):
        gather(Catalog(root), profile)
