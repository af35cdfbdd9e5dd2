import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from station.device.ioctl import blkgetdiskseq, blkgetsize64, blkroget, blksszget


def kernel_says(option: str, node: Path) -> int:
    shown = subprocess.run(["blockdev", option, node], check=True, capture_output=True, text=True)
    return int(shown.stdout)


@pytest.mark.parametrize("options", [(), ("--read-only",), ("--sector-size", "4096")])
def test_a_device_tells_us_what_it_tells_blockdev_and_sysfs(
    make_image: Callable[..., Path], make_loop: Callable[..., Path], options: tuple[str, ...]
) -> None:
    # Beyond 4 GiB, where a 32-bit size would wrap.
    node = make_loop(make_image((5 << 30) + 4096), *options)
    fd = os.open(node, os.O_RDONLY)

    assert blkgetsize64(fd) == kernel_says("--getsize64", node)
    assert blksszget(fd) == kernel_says("--getss", node)
    assert blkroget(fd) == bool(kernel_says("--getro", node))
    assert blkgetdiskseq(fd) == int(Path(f"/sys/block/{node.name}/diskseq").read_text())
    os.close(fd)


@pytest.mark.parametrize("call", [blkgetsize64, blksszget, blkroget, blkgetdiskseq])
def test_what_is_no_block_device_raises(call: Callable[[int], int]) -> None:
    fd = os.open("/dev/null", os.O_RDONLY)
    with pytest.raises(OSError, match="Inappropriate ioctl"):
        call(fd)
    os.close(fd)
