"""The options that make a DiskPolicy."""

import click
import pytest
from click.testing import CliRunner

from cli.options import disk
from syncer.disk.policy import DiskPolicy, Quota


def policy(*arguments: str) -> DiskPolicy | str:
    """What they make, or what is said of them."""
    made: list[DiskPolicy] = []

    @click.command()
    @disk.disk
    def command(disk: DiskPolicy) -> None:
        made.append(disk)

    result = CliRunner().invoke(command, arguments)
    return made[0] if made else result.output


def test_without_any_it_is_the_default() -> None:
    assert policy() == DiskPolicy()


def test_each_has_its_place() -> None:
    assert policy(
        *("--grace", "1m", "--keep-releases", "0", "--keep-for", "24h", "--keep-free", "2.5", "--verify", "1Gi"),
        *("--site-quota", "500Mi", "--site-quota-files", "7", "--keep-assets-for", "2h"),
        *("--namespace-quota", "2TiB", "--namespace-quota-files", "0"),
    ) == DiskPolicy(
        grace_seconds=60,
        keep_releases=0,
        keep_seconds=24 * 3600,
        keep_free=0.025,
        keep_assets_seconds=2 * 3600,
        site=Quota(500 << 20, 7),
        namespace=Quota(2 << 40, 0),
        verify_bytes=1 << 30,
    )


@pytest.mark.parametrize("size", ["", "-1", "Mi", "1Xi", "much"])
def test_a_size_that_is_none_is_refused_with_an_example(size: str) -> None:
    assert "100MiB" in str(policy("--site-quota", size))
