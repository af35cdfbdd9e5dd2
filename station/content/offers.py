"""From a profile's names to the files that may stand on a drive."""

from collections.abc import Callable
from pathlib import Path

from station.content.catalog import Catalog
from station.content.check import check_sizes
from station.content.manifest import Manifest
from station.content.profile import BundleChoice, Profile
from station.content.sample import ensure_generated
from station.content.selection import Offer, SelectedFile
from station.errors import OperatorError
from station.image.tree import FileEntry, build_tree

Generate = Callable[[Manifest, Path], object]


def gather_offers(
    catalog: Catalog,
    profile: Profile,
    override: Path | None = None,
    generate: Generate = ensure_generated,
) -> tuple[Offer, ...]:
    """Find every bundle of a profile, complete by names and sizes.

    Args:
        catalog: where manifests are.
        profile: what drives are to become.
        override: as for `Catalog.content_folder`.
        generate: makes the files of a manifest that names a generator, when they are missing.

    Raises:
        OperatorError: when a bundle is incomplete, or two of them can't stand side by side.
    """
    offers = offers_as_listed(catalog, profile, override)
    for bundle, offer in zip(profile.bundles, offers, strict=True):
        manifest = catalog.manifest(bundle.manifest)
        folder = catalog.content_folder(manifest.name, manifest, override)
        generate(manifest, folder)
        _require_complete(manifest, folder, offer)
    return offers


def offers_as_listed(
    catalog: Catalog, profile: Profile, override: Path | None = None
) -> tuple[Offer, ...]:
    """The bundles of a profile as their manifests list them, whether or not the files are there.

    Raises:
        OperatorError: when a manifest can't be used, or two bundles can't stand side by side.
    """
    offers = tuple(_offer(catalog, bundle, override) for bundle in profile.bundles)
    # Alone, a bundle was held to the same rules when its manifest was read.
    if len(offers) > 1:
        build_tree([file.entry for offer in offers for file in offer.files])
    return offers


def _offer(catalog: Catalog, bundle: BundleChoice, override: Path | None) -> Offer:
    manifest = catalog.manifest(bundle.manifest)
    folder = catalog.content_folder(manifest.name, manifest, override)
    prefix = f"{bundle.target}/" if bundle.target else ""
    return Offer(
        manifest.name,
        bundle.required,
        tuple(
            SelectedFile(
                FileEntry(prefix + file.path, file.size),
                folder,
                file.path,
                bytes.fromhex(file.blake3),
            )
            for file in manifest.files
        ),
    )


def _require_complete(manifest: Manifest, folder: Path, offer: Offer) -> None:
    found = check_sizes(manifest, folder)
    problems = [*found.missing, *found.changed]
    if problems:
        more = f", and {len(problems) - 1:,} more of {len(offer.files):,}" if problems[1:] else ""
        raise OperatorError(
            f"bundle {manifest.name!r} in {folder} is not complete: {problems[0]}{more}",
            f"See all with: station manifest check content_manifests/{manifest.name}.json",
        )
