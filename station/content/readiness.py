"""Whether everything that a profile names is there, before the first stick is."""

from dataclasses import dataclass
from enum import StrEnum, unique
from pathlib import Path

from station.content.catalog import Catalog
from station.content.check import check_sizes
from station.content.manifest import Manifest
from station.content.profile import BundleChoice, Profile
from station.content.rules import tree_problems
from station.errors import OperatorError


@unique
class BundleState(StrEnum):
    """How far a bundle can be used."""

    READY = "ready"
    GENERATED = "made on first use"  # the files are not there, but the station makes them
    DIFFERS = "differs"  # files are missing, extra, or of another size
    REFUSED = "refused"  # no manifest, or a broken one


@dataclass(frozen=True, slots=True)
class BundleReadiness:
    """What was found of one bundle.

    Attributes:
        name: name of the manifest.
        state: how far it can be used.
        file_count: files that the manifest lists.
        total_bytes: sum of their sizes.
        problems: one line each.
    """

    name: str
    state: BundleState
    file_count: int = 0
    total_bytes: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readiness:
    """What was found of a profile.

    Attributes:
        bundles: in the profile's order.
        problems: of the bundles together, such as one name in two of them.
    """

    bundles: tuple[BundleReadiness, ...]
    problems: tuple[str, ...]

    @property
    def is_ready(self) -> bool:
        """Whether a run can begin."""
        usable = (BundleState.READY, BundleState.GENERATED)
        return not self.problems and all(bundle.state in usable for bundle in self.bundles)

    @property
    def is_refused(self) -> bool:
        """Whether no care for the files will help: a manifest or the profile is at fault."""
        return bool(self.problems) or any(
            bundle.state is BundleState.REFUSED for bundle in self.bundles
        )


def check_profile(catalog: Catalog, profile: Profile, override: Path | None = None) -> Readiness:
    """Look for all that a profile names; reads no content.

    Args:
        catalog: where manifests are.
        profile: what to check.
        override: as for `Catalog.content_folder`.
    """
    bundles: list[BundleReadiness] = []
    paths: list[str] = []
    for bundle in profile.bundles:
        try:
            manifest = catalog.manifest(bundle.manifest)
        except OperatorError as error:
            refused = BundleReadiness(bundle.manifest, BundleState.REFUSED, problems=(str(error),))
            bundles.append(refused)
            continue
        bundles.append(_check_bundle(catalog, manifest, override))
        paths.extend(_on_drive(bundle, manifest))
    return Readiness(tuple(bundles), tuple(str(problem) for problem in tree_problems(paths)))


def _check_bundle(catalog: Catalog, manifest: Manifest, override: Path | None) -> BundleReadiness:
    folder = catalog.content_folder(manifest.name, manifest, override)
    problems: tuple[str, ...] = ()
    if manifest.generator is not None and not folder.exists():
        state = BundleState.GENERATED
    else:
        try:
            found = check_sizes(manifest, folder)
        except OperatorError as error:
            state, problems = BundleState.DIFFERS, (str(error),)
        else:
            state = BundleState.READY if found.is_clean else BundleState.DIFFERS
            problems = tuple(
                f"{difference}: {problem}"
                for difference, told in found.differences.items()
                for problem in told
            )
    return BundleReadiness(
        manifest.name, state, len(manifest.files), manifest.total_bytes, problems
    )


def _on_drive(bundle: BundleChoice, manifest: Manifest) -> list[str]:
    prefix = f"{bundle.target}/" if bundle.target else ""
    return [f"{prefix}{file.path}" for file in manifest.files]
