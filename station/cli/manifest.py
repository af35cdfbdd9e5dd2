"""`station manifest`: makes, checks and exports the lists of bundles' files."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from station.cli.byte_progress import byte_progress
from station.cli.console import err, out, print_json
from station.cli.exit_code import ExitCode
from station.cli.options import ContentFolder, JsonFlag
from station.cli.problems import every_problem_told
from station.content.atomic import require_free, write_atomically
from station.content.b3sum import checksum_lines, parse_checksums
from station.content.catalog import content_folder
from station.content.check import ContentCheck, check_content
from station.content.creation import adopt_checksums, create_manifest, require_place
from station.content.manifest import (
    Manifest,
    format_manifest,
    load_manifest,
    long_paths,
    read_limited,
)
from station.content.scan import Scan, scan
from station.text import printable
from station.units import format_size

app = typer.Typer(help="Make, check and export lists of files.", no_args_is_help=True)

ManifestPath = Annotated[
    Path, typer.Argument(metavar="FILE", help="A manifest, such as content_manifests/films.json.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")]


@app.command()
def create(  # noqa: PLR0913 - one parameter an option
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the bundle's files.")],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write the manifest: content_manifests/NAME.json.",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the bundle.", show_default="FILE without its ending"),
    ] = None,
    b3sum: Annotated[
        Path | None,
        typer.Option(
            metavar="SUMS", help="Take the hashes from what b3sum printed in DIR; reads no file."
        ),
    ] = None,
    force: Force = False,
    json: JsonFlag = False,
) -> None:
    """Hash all files of a folder with BLAKE3 and write their manifest."""
    if not force:
        require_free(output)
    require_place(folder, output)
    bundle = name or output.stem
    with every_problem_told():
        found = scan(folder)
        if b3sum is None:
            with byte_progress("Hashing", found.total_bytes) as progress:
                manifest = create_manifest(found, folder, output, bundle, progress)
        else:
            checksums = parse_checksums(read_limited(b3sum), str(b3sum))
            manifest = adopt_checksums(found, checksums, folder, output, bundle)
    write_atomically(output, format_manifest(manifest))
    if json:
        print_json(_created_as_json(manifest, output, found))
    else:
        _print_created(manifest, output, found)


@app.command()
def check(file: ManifestPath, *, content: ContentFolder = None, json: JsonFlag = False) -> None:
    """Compare a bundle's files with their manifest: every missing, changed and extra one.

    Exits with 1 when there is any.
    """
    with every_problem_told():
        manifest = load_manifest(file)
    folder = content_folder(file, manifest, content)
    with byte_progress("Checking", manifest.total_bytes) as progress:
        found = check_content(manifest, folder, progress)
    if json:
        print_json(_check_as_json(manifest, file, folder, found))
    else:
        _print_check(manifest, folder, found)
    if not found.is_clean:
        raise typer.Exit(ExitCode.NOT_ALL_PASSED)


@app.command()
def export(
    file: ManifestPath,
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT", help="Where to write.", show_default="standard output"
        ),
    ] = None,
    force: Force = False,
) -> None:
    """Write a manifest as lines of b3sum, for `b3sum --check` in the folder of the files."""
    if output is not None and not force:
        require_free(output)
    with every_problem_told():
        manifest = load_manifest(file)
    lines = "".join(checksum_lines(manifest))
    if output is None:
        # In UTF-8 whatever the locale: b3sum reads nothing else.
        sys.stdout.buffer.write(lines.encode())
        sys.stdout.buffer.flush()
    else:
        write_atomically(output, lines)


def _print_created(manifest: Manifest, output: Path, found: Scan) -> None:
    for path in found.junk:
        out.print(f"left out  {printable(path)}  (junk of another system)")
    for path in found.empty_folders:
        out.print(f"left out  {printable(path)}  (empty folder)")
    for path in long_paths(manifest):
        err.print(f"warning: {printable(path)!r} is too long a path for many Windows programs")
    out.print(f"{printable(str(output))}: {_amount(manifest)}, folder {printable(manifest.folder)}")


def _created_as_json(manifest: Manifest, output: Path, found: Scan) -> dict[str, object]:
    return {
        "manifest": str(output),
        "name": manifest.name,
        "folder": manifest.folder,
        "files": len(manifest.files),
        "bytes": manifest.total_bytes,
        "junk": list(found.junk),
        "empty_folders": list(found.empty_folders),
        "long_paths": long_paths(manifest),
    }


def _print_check(manifest: Manifest, folder: Path, found: ContentCheck) -> None:
    for difference, problems in found.differences.items():
        for problem in problems:
            out.print(f"{difference:<8} {printable(problem.path)}: {problem.text}")
    counts = ", ".join(
        f"{len(problems):,} {difference}" for difference, problems in found.differences.items()
    )
    verdict = "as listed" if found.is_clean else counts
    out.print(f"{printable(str(folder))}: {_amount(manifest)}: {verdict}")


def _check_as_json(
    manifest: Manifest, file: Path, folder: Path, found: ContentCheck
) -> dict[str, object]:
    return {
        "manifest": str(file),
        "name": manifest.name,
        "folder": str(folder),
        "files": len(manifest.files),
        "bytes": manifest.total_bytes,
        "clean": found.is_clean,
        **{
            str(difference): [
                {"path": problem.path, "problem": problem.text} for problem in problems
            ]
            for difference, problems in found.differences.items()
        },
    }


def _amount(manifest: Manifest) -> str:
    count = len(manifest.files)
    return f"{count:,} file{'' if count == 1 else 's'}, {format_size(manifest.total_bytes)}"
