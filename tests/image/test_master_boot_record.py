"""The MBR by its offsets; fdisk reads it in test_foreign_readers."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.image.geometry import Geometry, plan_geometry
from station.image.mbr import encode_mbr
from tests.image.strategies import geometries

SECTORS_PER_CYLINDER = 255 * 63


@given(geometries(), st.integers(1, (1 << 32) - 1))
def test_one_partition_of_type_0c_and_a_signature_and_nothing_else(
    geometry: Geometry, disk_signature: int
) -> None:
    mbr = encode_mbr(geometry, disk_signature)

    assert len(mbr) == geometry.sector_bytes
    assert struct.unpack_from("<I", mbr, 440) == (disk_signature,)
    assert (mbr[446], mbr[450]) == (0x00, 0x0C)
    assert struct.unpack_from("<II", mbr, 454) == (
        geometry.partition_sector,
        geometry.partition_sectors,
    )
    assert mbr[510:512] == b"\x55\xaa"
    assert not any(mbr[:440] + mbr[444:446] + mbr[462:510] + mbr[512:])


@pytest.mark.parametrize(
    ("last_sector", "encoded"),
    [
        pytest.param(1024 * SECTORS_PER_CYLINDER - 1, "fe ff ff", id="the last that there is"),
        pytest.param(1024 * SECTORS_PER_CYLINDER - 2, "fe fe ff", id="the one before"),
        pytest.param(1024 * SECTORS_PER_CYLINDER, "fe ff ff", id="beyond"),
        pytest.param(256 * SECTORS_PER_CYLINDER, "00 41 00", id="cylinder of nine bits"),
    ],
)
def test_cylinder_head_and_sector_of_the_end_on_both_sides_of_their_limit(
    last_sector: int, encoded: str
) -> None:
    geometry = plan_geometry((last_sector + 1) * 512)

    assert encode_mbr(geometry, 1)[451:454] == bytes.fromhex(encoded)
