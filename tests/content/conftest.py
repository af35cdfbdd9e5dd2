"""Folders of files for tests on content."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Plant = Callable[[Mapping[str, bytes]], Path]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Write files, by their path, below a folder `content` and return it."""

    def write(files: Mapping[str, bytes]) -> Path:
        folder = tmp_path / "content"
        folder.mkdir(exist_ok=True)
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder

    return write
