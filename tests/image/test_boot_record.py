"""The boot record by its offsets, as the specification's tables list them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.image.boot import encode_boot_record
from station.image.geometry import Geometry, Layout, plan_geometry
from station.image.identity import VolumeIdentity
from tests.image.strategies import geometries

numbers = st.integers(1, (1 << 32) - 1)


def sectors_of(record: bytes, geometry: Geometry) -> list[bytes]:
    size = geometry.sector_bytes
    return [record[at : at + size] for at in range(0, len(record), size)]


@given(geometries(), numbers)
def test_the_boot_sector_says_where_everything_is(geometry: Geometry, volume_id: int) -> None:
    boot = encode_boot_record(geometry, "MOVIES", volume_id, free_clusters=5, last_cluster=6)

    assert boot[0:11] == b"\xeb\x58\x90MSWIN4.1"
    assert struct.unpack_from("<HBHB", boot, 11) == (
        geometry.sector_bytes,
        geometry.sectors_per_cluster,
        geometry.reserved_sectors,
        2,
    )
    assert struct.unpack_from("<HHBH", boot, 17) == (0, 0, 0xF8, 0)
    assert struct.unpack_from("<II", boot, 28) == (
        geometry.partition_sector,
        geometry.partition_sectors,
    )
    assert struct.unpack_from("<IHHIHH", boot, 36) == (geometry.fat_sectors, 0, 0, 2, 1, 6)
    assert boot[52:64] == bytes(12)
    assert struct.unpack_from("<BBBI", boot, 64) == (0x80, 0, 0x29, volume_id)
    assert boot[71:90] == b"MOVIES     FAT32   "
    assert boot[90:510] == bytes(420)
    assert boot[510:512] == b"\x55\xaa"


@given(geometries())
def test_sectors_6_7_and_8_repeat_sectors_0_1_and_2(geometry: Geometry) -> None:
    record = encode_boot_record(geometry, "", 7, free_clusters=5, last_cluster=6)
    sectors = sectors_of(record, geometry)

    assert len(sectors) == 9
    assert sectors[6:] == sectors[:3]
    assert all(sector[510:512] == b"\x55\xaa" for sector in sectors[:3])
    assert not any(map(any, sectors[3:6]))


@given(geometries(), numbers, numbers)
def test_fsinfo_counts_the_free_clusters_and_names_the_last_one_in_use(
    geometry: Geometry, free_clusters: int, last_cluster: int
) -> None:
    record = encode_boot_record(
        geometry, "", 7, free_clusters=free_clusters, last_cluster=last_cluster
    )
    fsinfo = sectors_of(record, geometry)[1]

    assert struct.unpack_from("<I", fsinfo, 0) == (0x41615252,)
    assert struct.unpack_from("<III", fsinfo, 484) == (0x61417272, free_clusters, last_cluster)
    assert struct.unpack_from("<I", fsinfo, 508) == (0xAA550000,)
    assert not any(fsinfo[4:484] + fsinfo[496:508] + fsinfo[512:])


def test_a_volume_without_a_label_says_so() -> None:
    geometry = plan_geometry(10**9, layout=Layout.SUPERFLOPPY)
    record = encode_boot_record(geometry, "", 7, free_clusters=5, last_cluster=6)

    assert record[71:82] == b"NO NAME    "


@pytest.mark.parametrize("number", [0, -1, 1 << 32])
def test_volume_id_and_disk_signature_are_positive_numbers_of_32_bits(number: int) -> None:
    with pytest.raises(ValueError, match="32-bit"):
        VolumeIdentity(number, 1)
    with pytest.raises(ValueError, match="32-bit"):
        VolumeIdentity(1, number)
