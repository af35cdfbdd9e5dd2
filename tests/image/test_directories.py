import numpy as np
import pytest

from station.image.directories import Placement, encode_directories
from station.image.tree import FileEntry, build_tree


def test_a_directory_that_would_not_have_its_planned_length_is_never_given_out() -> None:
    files = [FileEntry("film.mp4", 1)]
    tree = build_tree(files)
    tree.folders[0].entry_count += 1
    placement = Placement(512, np.array([2]), np.array([3]))

    with pytest.raises(AssertionError, match="has not the planned length"):
        encode_directories(tree, files, placement, "MOVIES")
