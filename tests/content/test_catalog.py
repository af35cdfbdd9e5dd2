import json
from pathlib import Path

import pytest
from blake3 import blake3

from station.content.catalog import Catalog
from station.content.manifest import Manifest, ManifestFile, format_manifest
from station.content.readiness import BundleState, check_profile
from station.errors import OperatorError


def list_bundle(
    root: Path, name: str, contents: dict[str, bytes], generator: str | None = None
) -> None:
    files = tuple(
        ManifestFile(path, len(content), blake3(content).hexdigest())
        for path, content in sorted(contents.items())
    )
    folder = f"files/{name}"
    manifest = Manifest(format=1, name=name, folder=folder, generator=generator, files=files)
    (root / "content_manifests").mkdir(exist_ok=True)
    (root / f"content_manifests/{name}.json").write_text(format_manifest(manifest), "utf-8")


def plant_bundle(folder: Path, contents: dict[str, bytes]) -> None:
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def write_profile(root: Path, name: str, *bundles: str) -> None:
    (root / "profiles").mkdir(exist_ok=True)
    text = "".join(f"[[bundle]]\n{bundle}\n" for bundle in bundles)
    (root / f"profiles/{name}.toml").write_text(text)


def test_profiles_are_listed_by_name(tmp_path: Path) -> None:
    write_profile(tmp_path, "b", "manifest = 'x'")
    write_profile(tmp_path, "a.b", "manifest = 'x'")
    (tmp_path / "profiles/README.md").write_text("")

    assert Catalog(tmp_path).profile_names() == ["a.b", "b"]
    assert Catalog(tmp_path).profile("a.b").name == "a.b"


def test_an_unknown_profile_is_refused_with_what_is_there(tmp_path: Path) -> None:
    write_profile(tmp_path, "sample", "manifest = 'x'")
    write_profile(tmp_path, "stick", "manifest = 'x'")
    with pytest.raises(OperatorError) as caught:
        Catalog(tmp_path).profile("sampel")

    assert caught.value.problem == f"{tmp_path}/profiles: holds no profile 'sampel'"
    assert caught.value.remedy == "Did you mean 'sample'? There is: sample, stick"


@pytest.mark.parametrize("name", ["../sample", "", ".", "/etc/passwd", "sample.toml"])
def test_a_name_can_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    write_profile(tmp_path, "sample", "manifest = 'x'")
    with pytest.raises(OperatorError, match="holds no profile"):
        Catalog(tmp_path).profile(name)


def test_a_root_without_profiles_is_refused_with_the_option_to_use(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"profiles: can't be read: No such file.*--root"):
        Catalog(tmp_path).profile("sample")


def test_a_missing_manifest_is_refused_with_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(OperatorError) as caught:
        Catalog(tmp_path).manifest("films")
    path = tmp_path / "content_manifests/films.json"

    assert caught.value.problem == f"{path}: there is no manifest 'films'"
    assert caught.value.remedy.endswith(f"station manifest create DIR -o {path}")


def test_a_manifest_under_another_name_is_refused(tmp_path: Path) -> None:
    list_bundle(tmp_path, "films", {"a": b""})
    (tmp_path / "content_manifests/films.json").rename(tmp_path / "content_manifests/books.json")
    with pytest.raises(OperatorError, match="name: 'films' differs from the file's name"):
        Catalog(tmp_path).manifest("books")


def test_content_is_beside_the_manifest_unless_another_folder_is_put_in_its_place(
    tmp_path: Path,
) -> None:
    list_bundle(tmp_path, "films", {"a": b""})
    catalog = Catalog(tmp_path)
    manifest = catalog.manifest("films")
    own = tmp_path / "content_manifests/files/films"

    assert catalog.content_folder("films", manifest) == own
    assert catalog.content_folder("films", manifest, Path("/mnt")) == Path("/mnt/films")


def test_a_profile_whose_files_are_all_there_is_ready(tmp_path: Path) -> None:
    list_bundle(tmp_path, "films", {"a": b"1"})
    plant_bundle(tmp_path / "content_manifests/files/films", {"a": b"1"})
    list_bundle(tmp_path, "made", {"b": b"1"}, generator="sample")
    write_profile(tmp_path, "p", "manifest = 'films'", "manifest = 'made'")
    catalog = Catalog(tmp_path)
    found = check_profile(catalog, catalog.profile("p"))

    assert found.is_ready
    assert [bundle.state for bundle in found.bundles] == [
        BundleState.READY,
        BundleState.GENERATED,
    ]


def test_missing_and_wrong_files_keep_a_profile_from_being_ready(tmp_path: Path) -> None:
    list_bundle(tmp_path, "films", {"a": b"1", "b": b"2"})
    plant_bundle(tmp_path / "content/films", {"a": b"longer"})
    write_profile(tmp_path, "p", "manifest = 'films'")
    catalog = Catalog(tmp_path)
    (bundle,) = check_profile(catalog, catalog.profile("p"), tmp_path / "content").bundles

    assert bundle.state is BundleState.DIFFERS
    assert bundle.problems == ("missing: 'b' is not there", "changed: 'a' has 6 bytes instead of 1")


def test_a_profile_with_a_manifest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_profile(tmp_path, "p", "manifest = 'films'")
    catalog = Catalog(tmp_path)
    found = check_profile(catalog, catalog.profile("p"))

    assert found.is_refused
    assert not found.is_ready


def test_one_name_in_two_bundles_of_a_folder_is_refused(tmp_path: Path) -> None:
    list_bundle(tmp_path, "films", {"a/Film": b"1"}, generator="sample")
    list_bundle(tmp_path, "books", {"film": b"1"}, generator="sample")
    write_profile(tmp_path, "clash", "manifest = 'films'", "manifest = 'books'\ntarget = 'A'")
    write_profile(tmp_path, "apart", "manifest = 'films'", "manifest = 'books'\ntarget = 'b'")
    catalog = Catalog(tmp_path)

    assert check_profile(catalog, catalog.profile("clash")).is_refused
    assert check_profile(catalog, catalog.profile("apart")).is_ready


def test_every_profile_that_is_shipped_can_be_read() -> None:
    catalog = Catalog(Path(__file__).parents[2])
    profiles = [catalog.profile(name) for name in catalog.profile_names()]

    assert {profile.name for profile in profiles} >= {"sample", "stick-2gb", "stick-8gb"}
    assert all(profile.volume.label for profile in profiles)


def test_every_manifest_that_is_shipped_can_be_read_and_is_diffed_line_by_line() -> None:
    catalog = Catalog(Path(__file__).parents[2])
    for name in ("sample", "sample-films"):
        text = catalog.manifest_path(name).read_text("utf-8")

        assert format_manifest(catalog.manifest(name)) == text
        assert json.loads(text)["generator"] == name
