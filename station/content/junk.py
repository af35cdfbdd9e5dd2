"""Files that operating systems leave behind and nobody wants on a stick."""

# Lower case: these systems take no notice of case.
_FILES = frozenset({".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", ".directory"})
_FOLDERS = frozenset(
    {
        "system volume information",
        "$recycle.bin",
        "recycler",
        ".trashes",
        ".fseventsd",
        ".spotlight-v100",
        ".temporaryitems",
        ".documentrevisions-v100",
    }
)
_APPLE_DOUBLE = "._"  # macOS keeps extended attributes there on file systems that have none
_FREEDESKTOP_TRASH = ".trash-"  # freedesktop.org Trash specification: `.Trash-` and the user id


def is_junk_file(name: str) -> bool:
    """Whether a file of this name is left out of bundles."""
    return name.startswith(_APPLE_DOUBLE) or name.lower() in _FILES


def is_junk_folder(name: str) -> bool:
    """Whether a folder of this name is left out of bundles with all that is in it."""
    lower = name.lower()
    return lower.startswith(_FREEDESKTOP_TRASH) or lower in _FOLDERS
