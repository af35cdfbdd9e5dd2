"""A workshop for each test, and one that a whole module shares."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.job.workshop import Workshop


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = Workshop(tmp_path)
    yield made
    for book in made.books:
        book.close()


@pytest.fixture(scope="module")
def shared_workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("workshop"))
    yield made
    for book in made.books:
        book.close()
