from pathlib import Path

import pytest

from tests.faults.mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_what_a_mutation_breaks_stands_once_in_the_station(mutation: Mutation) -> None:
    """Trying them takes ten minutes and is left to scripts/mutation-check."""
    text = (ROOT / mutation.path).read_text(encoding="utf-8")

    assert text.count(mutation.text) == 1
    assert mutation.text != mutation.replacement
