"""`station profile`: lists, shows and checks profiles."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from station.cli.console import out, print_error, print_json
from station.cli.exit_code import ExitCode
from station.cli.options import ContentFolder, JsonFlag, Root
from station.content.catalog import Catalog
from station.content.profile import Profile
from station.content.readiness import BundleState, check_profile
from station.errors import OperatorError
from station.text import printable
from station.units import format_size

app = typer.Typer(help="List, show and check profiles.", no_args_is_help=True)

ProfileName = Annotated[
    str, typer.Argument(metavar="P", help="Name of a profile: profiles/P.toml.")
]


@dataclass(frozen=True, slots=True)
class _Listed:
    """One row of the list; `error` is empty for a profile that can be used."""

    name: str
    title: str
    error: str


@app.command("list")
def list_profiles(*, root: Root = Path(), json: JsonFlag = False) -> None:
    """List all profiles.

    Exits with 2 when one of them can't be used.
    """
    catalog = Catalog(root)
    rows = [_listed(catalog, name) for name in catalog.profile_names()]
    if json:
        print_json([asdict(row) for row in rows])
    else:
        width = max((len(printable(row.name)) for row in rows), default=0)
        for row in rows:
            told = f"broken: {row.error}" if row.error else row.title
            out.print(f"{printable(row.name):<{width}}  {printable(told)}")
    if any(row.error for row in rows):
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def show(name: ProfileName, *, root: Root = Path(), json: JsonFlag = False) -> None:
    """Show a profile with all its defaults."""
    profile = Catalog(root).profile(name)
    if json:
        print_json(_as_json(profile))
        return
    for key, value in _lines(profile):
        out.print(f"{key:<14}{printable(value)}")


@app.command()
def check(
    name: ProfileName,
    *,
    root: Root = Path(),
    content: ContentFolder = None,
    json: JsonFlag = False,
) -> None:
    """Check that all files of a profile's bundles are there with their sizes, and go together.

    Reads no file: `station manifest check` compares every byte. Exits with 1 when files differ,
    with 2 when a manifest can't be used.
    """
    catalog = Catalog(root)
    profile = catalog.profile(name)
    result = check_profile(catalog, profile, content)
    if json:
        print_json(
            {
                "profile": profile.name,
                "ready": result.is_ready,
                "bundles": [
                    {
                        "manifest": bundle.name,
                        "state": str(bundle.state),
                        "files": bundle.file_count,
                        "bytes": bundle.total_bytes,
                        "problems": list(bundle.problems),
                    }
                    for bundle in result.bundles
                ],
                "problems": list(result.problems),
            }
        )
    else:
        for bundle in result.bundles:
            for problem in bundle.problems:
                out.print(printable(f"{bundle.name}: {problem}"))
            if bundle.state is not BundleState.REFUSED:
                amount = f"{bundle.file_count:,} files, {format_size(bundle.total_bytes)}"
                out.print(printable(f"{bundle.name}: {bundle.state}, {amount}"))
        for problem in result.problems:
            out.print(printable(problem))
    if result.is_refused:
        print_error(OperatorError(f"profile {name!r} can't be used", "See the lines above."))
        raise typer.Exit(ExitCode.REFUSED)
    if not result.is_ready:
        raise typer.Exit(ExitCode.NOT_ALL_PASSED)


def _listed(catalog: Catalog, name: str) -> _Listed:
    try:
        return _Listed(name, catalog.profile(name).title, "")
    except OperatorError as error:
        return _Listed(name, "", str(error))


def _lines(profile: Profile) -> list[tuple[str, str]]:
    limits = profile.drive
    lines = [
        ("profile", profile.name),
        ("title", profile.title),
        ("label", profile.volume.label or "none"),
        ("layout", str(profile.volume.layout)),
        ("erase", str(profile.erase.policy)),
        ("read back", str(profile.erase.read_back)),
        ("min capacity", _limit(limits.min_capacity_bytes)),
        ("max capacity", _limit(limits.max_capacity_bytes)),
        ("probe", "for counterfeits, first" if limits.probe else "none"),
    ]
    for number, bundle in enumerate(profile.bundles, start=1):
        kind = "required" if bundle.required else "optional"
        place = f"in {bundle.target}/" if bundle.target else "in the root"
        lines.append((f"bundle {number}", f"{bundle.manifest}, {kind}, {place}"))
    return lines


def _limit(capacity_bytes: int | None) -> str:
    return "any" if capacity_bytes is None else format_size(capacity_bytes)


def _as_json(profile: Profile) -> dict[str, object]:
    return {
        "name": profile.name,
        "title": profile.title,
        "volume": profile.volume.model_dump(mode="json"),
        "erase": profile.erase.model_dump(mode="json"),
        "drive": profile.drive.model_dump(mode="json"),
        "bundles": [bundle.model_dump(mode="json") for bundle in profile.bundles],
    }
