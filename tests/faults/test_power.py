"""F2: after a power cut, what is live is whole: its files are on the disk before its link is.

The cut is real as far as files go: an ext4 file system in an image, of which a copy is taken at once after the swap.
The copy has what was written to the disk, and nothing of what the kernel still held back; mounting it replays the
journal, as after a cut.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.conftest import Volume
from tests.support.git_server import GitServer


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    # Nothing is written back by itself for as long as this takes.
    command = ["mount", "-o", "loop,commit=300", str(image), str(folder)]
    if not sys.platform.startswith("linux") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a file system in an image can be mounted by root on Linux only")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def make_file_system(image: Path) -> None:
    with image.open("wb") as file:
        file.truncate(24 << 20)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    except FileNotFoundError:
        pytest.skip("there is no mkfs.ext4")


def test_f2_after_a_power_cut_the_live_release_is_whole(volume: Volume, git_server: GitServer, tmp_path: Path) -> None:
    image, after = tmp_path / "disk.img", tmp_path / "after.img"
    make_file_system(image)
    repository = git_server.repository()
    with mounted(image, volume.root / "volume"):
        volume.start()
        for number in range(3):
            files = {f"{folder}/{number}.html": f"{folder} of {number}" * 500 for folder in range(10)}
            repository.commit({"index.html": f"{number}", **files})
            volume.publish(volume.site())
            expected = volume.live()
            fsync(volume.live_link().parent)  # the worst case: the swap has just reached the disk
            after.write_bytes(image.read_bytes())
            with mounted(after, tmp_path / "after"):
                folder = tmp_path / "after/live/team/site"
                found = {path: (folder / path).read_text() for path in expected}
            assert found == expected


def fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
