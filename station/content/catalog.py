"""The profiles and manifests of a station, found by their names."""

from pathlib import Path

from station.content.manifest import Manifest, load_manifest
from station.content.profile import Profile, load_profile
from station.content.violation import nearest
from station.errors import OperatorError

_PROFILE_SUFFIX = ".toml"
_MANIFEST_SUFFIX = ".json"


def content_folder(manifest_path: Path, manifest: Manifest, override: Path | None = None) -> Path:
    """Where a bundle's files are.

    Args:
        manifest_path: the file that holds the manifest.
        manifest: what it holds.
        override: a folder that holds one folder for each manifest, by its name, in place of those
            that the manifests name.
    """
    if override is not None:
        return override / manifest.name
    return manifest_path.parent / manifest.folder


class Catalog:
    """What `profiles/` and `content_manifests/` below one folder hold."""

    def __init__(self, root: Path) -> None:
        self.profiles = root / "profiles"
        self.manifests = root / "content_manifests"

    def profile_names(self) -> list[str]:
        """Names of all profiles, sorted.

        Raises:
            OperatorError: when there is no folder of profiles.
        """
        try:
            return _names(self.profiles, _PROFILE_SUFFIX)
        except OSError as error:
            raise OperatorError(
                f"{self.profiles}: can't be read: {error.strerror}",
                "Name the folder that holds profiles/ with --root.",
            ) from None

    def profile(self, name: str) -> Profile:
        """Load a profile by its name.

        Raises:
            OperatorError: when there is none of that name, or it breaks a rule.
        """
        names = self.profile_names()
        if name not in names:
            guess = nearest(name, names)
            hint = f"Did you mean {guess!r}? There" if guess else "There"
            known = ", ".join(names) if names else "none"
            raise OperatorError(
                f"{self.profiles}: holds no profile {name!r}", f"{hint} is: {known}"
            )
        return load_profile(self.profiles / f"{name}{_PROFILE_SUFFIX}")

    def manifest_path(self, name: str) -> Path:
        """The file that holds a manifest."""
        return self.manifests / f"{name}{_MANIFEST_SUFFIX}"

    def manifest(self, name: str) -> Manifest:
        """Load a manifest by its name, as profiles write it.

        Raises:
            OperatorError: when there is none of that name, or it breaks a rule.
        """
        path = self.manifest_path(name)
        if not path.exists():
            raise OperatorError(
                f"{path}: there is no manifest {name!r}",
                f"Make it from a folder of files: station manifest create DIR -o {path}",
            )
        manifest = load_manifest(path)
        if manifest.name != name:
            raise OperatorError(
                f"{path}: name: {manifest.name!r} differs from the file's name",
                f"Rename the file to {manifest.name}{_MANIFEST_SUFFIX}, or correct the name in it.",
            )
        return manifest

    def content_folder(self, name: str, manifest: Manifest, override: Path | None = None) -> Path:
        """Where the files of the manifest `name` are; see `content_folder`."""
        return content_folder(self.manifest_path(name), manifest, override)


def _names(folder: Path, suffix: str) -> list[str]:
    return sorted(path.stem for path in folder.iterdir() if path.suffix == suffix)
