"""`scripts/make-sample`: makes the sample's files, and lists them anew after a change to them."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from station.cli.byte_progress import byte_progress
from station.cli.console import out
from station.cli.options import Root
from station.content.atomic import write_atomically
from station.content.catalog import Catalog
from station.content.manifest import FORMAT, Manifest, format_manifest
from station.content.sample import GENERATORS, ensure_generated, write_files
from station.text import printable
from station.units import format_size

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def make(
    *,
    root: Root = Path(),
    relist: Annotated[
        bool,
        typer.Option(
            "--relist", help="Write the manifests anew, after the generators were changed."
        ),
    ] = False,
) -> None:
    """Make the files of the sample bundles, unless they are there."""
    catalog = Catalog(root)
    for name in GENERATORS:
        if relist:
            write_atomically(catalog.manifest_path(name), format_manifest(_listed(name)))
        manifest = catalog.manifest(name)
        folder = catalog.content_folder(name, manifest)
        with byte_progress(f"Making {name}", manifest.total_bytes) as progress:
            is_new = ensure_generated(manifest, folder, progress)
        out.print(
            f"{'made' if is_new else 'is there'}: {printable(str(folder))}, "
            f"{len(manifest.files):,} files, {format_size(manifest.total_bytes)}"
        )


def _listed(name: str) -> Manifest:
    """The manifest of what a generator makes now."""
    made = Path(tempfile.mkdtemp(prefix="sample-"))
    try:
        files = tuple(write_files(GENERATORS[name](), made))
    finally:
        shutil.rmtree(made)
    return Manifest(format=FORMAT, name=name, folder=f"files/{name}", generator=name, files=files)


if __name__ == "__main__":
    app()
