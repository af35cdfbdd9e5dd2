"""Files that are either there in full or not at all."""

import os
import tempfile
from pathlib import Path

from station.errors import OperatorError


def require_free(path: Path) -> None:
    """Pass a name under which nothing lies yet.

    Raises:
        OperatorError: when something does, be it a dangling link.
    """
    if os.path.lexists(path):
        raise OperatorError(f"{path}: is there already", "Add --force to replace it.")


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that no reader, crash or power cut ever sees half of it.

    A file of that name is replaced. A hard link would refuse that without a race, but disks with
    exFAT, on which people bring content, know none: see `require_free`.

    Args:
        path: the file; its folder must exist.
        text: the content, stored as UTF-8.

    Raises:
        OperatorError: when it can't be written.
    """
    try:
        # In the same folder, because a rename is atomic only within one file system.
        descriptor, name = tempfile.mkstemp(prefix=".manifest-", dir=path.parent)
        temporary = Path(name)
        try:
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib opens no descriptor
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            # mkstemp makes files that nobody else may read; a manifest is no secret.
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise OperatorError(
            f"{path}: can't be written: {error.strerror}", "Choose a place that you may write to."
        ) from None


def _sync_folder(folder: Path) -> None:
    """Make a rename durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
