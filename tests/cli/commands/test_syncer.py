"""`pages syncer` before it is at work; the rest is in tests/cluster."""

from pathlib import Path

from tests.support.serving import free_port, pages


def test_without_a_cluster_it_ends_and_says_what_to_name(tmp_path: Path) -> None:
    done = pages(
        *("syncer", "--without-webhooks", "--allowed-hosts", "forge.example.com"),
        *("--volume", tmp_path / "volume", "--cache", tmp_path / "cache"),
        *("--health-bind", f"127.0.0.1:{free_port()}"),
        KUBECONFIG=str(tmp_path / "none"),
    )
    assert done.returncode == 3
    assert "name a kubeconfig in KUBECONFIG" in done.stderr
    assert "Traceback" not in done.stderr
