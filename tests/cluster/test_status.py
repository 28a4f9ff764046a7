"""What a tenant reads at a StaticSite."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import deliveries
from tests.support.cluster import SyncerProcess, condition
from tests.support.control_plane import Cluster, Object
from tests.support.git_server import GitServer
from tests.support.objects import static_site
from tests.support.operator import Player
from tests.support.serving import eventually

MakeSyncer = Callable[..., SyncerProcess]
Platform = Callable[..., None]


def status(cluster: Cluster, namespace: str, name: str = "blog") -> Object:
    found = cluster.get("staticsites", name, namespace)
    return dict((found or {}).get("status", {}))


def ready(cluster: Cluster, namespace: str, name: str = "blog") -> tuple[str, str]:
    """Status and reason of the Ready condition."""
    found = condition(cluster.get("staticsites", name, namespace), "Ready")
    return found.get("status", ""), found.get("reason", "")


@pytest.fixture
def blog(cluster: Cluster, namespace: str, git_server: GitServer, platform: Platform) -> None:
    """A StaticSite `blog` that is routed."""
    platform()
    git_server.repository("blog").commit({"index.html": "one"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))
    Player(cluster, "VirtualHost").settle()


@pytest.mark.usefixtures("blog")
def test_a_site_that_is_live_is_ready_by_the_conventions(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("k" * 32)
    with make_syncer("--token-key-file", str(tmp_path / "key")):
        said = cluster.kubectl("wait", "--for=condition=Ready", "ss/blog", "-n", namespace, "--timeout=60s")
        assert "condition met" in said
        site = cluster.get("staticsites", "blog", namespace)
    assert site
    found = site["status"]
    assert (found["phase"], found["url"]) == ("Ready", "http://blog.pages.example.com/")
    assert found["lastCommit"] == git_server.repository("blog").head()
    assert found["observedGeneration"] == site["metadata"]["generation"]
    assert len(found["syncToken"]) == 64
    assert found["resources"]["ingressRoute"] == f"kup6s-pages/{namespace}--blog"
    assert {each["type"]: each["status"] for each in found["conditions"]} == {
        "Ready": "True",
        "Synced": "True",
        "IngressReady": "True",
        "CertificateReady": "True",
    }
    for each in found["conditions"]:
        assert each["reason"] and each["message"] and each["lastTransitionTime"]
        assert each["observedGeneration"] == site["metadata"]["generation"]


@pytest.mark.usefixtures("blog", "syncer")
def test_kubectl_get_reads_well(cluster: Cluster, namespace: str, git_server: GitServer) -> None:
    cluster.apply(static_site("www", namespace, repo=git_server.url("blog"), domain="www.example.org", pathPrefix="/a"))
    Player(cluster, "VirtualHost").settle()
    eventually(lambda: ready(cluster, namespace)[0] == ready(cluster, namespace, "www")[0] == "True")
    header, blog, www = cluster.kubectl("get", "ss", "-n", namespace).splitlines()
    assert header.split() == ["NAME", "DOMAIN", "PATHPREFIX", "REPO", "STATUS", "LAST", "SYNC", "AGE"]
    assert blog.split()[:3] == ["blog", git_server.url("blog"), "Ready"]
    assert www.split()[:5] == ["www", "www.example.org", "/a", git_server.url("blog"), "Ready"]
    wide = cluster.kubectl("get", "site", "-n", namespace, "-o", "wide")
    assert "http://www.example.org/a/" in wide
    assert "is live" in wide


@pytest.mark.usefixtures("blog", "syncer")
def test_git_trouble_shows_and_keeps_what_the_last_good_sync_said(
    cluster: Cluster, namespace: str, git_server: GitServer
) -> None:
    eventually(lambda: ready(cluster, namespace)[0] == "True")
    before = status(cluster, namespace)
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), branch="gone", syncInterval="10s"))
    eventually(lambda: ready(cluster, namespace) == ("False", "BranchNotFound"))
    found = status(cluster, namespace)
    assert found["phase"] == "Error"
    assert "'gone'" in found["message"] and "main" in found["message"] and "stays live" in found["message"]
    assert (found["lastCommit"], found["lastSync"]) == (before["lastCommit"], before["lastSync"])
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog"), syncInterval="10s"))
    eventually(lambda: ready(cluster, namespace)[0] == "True")


@pytest.mark.usefixtures("blog", "syncer")
def test_a_rejected_domain_shows_at_the_site(cluster: Cluster, namespace: str, git_server: GitServer) -> None:
    cluster.apply(static_site("other", namespace, repo=git_server.url("blog"), domain="blog.pages.example.com"))
    Player(cluster, "VirtualHost").settle()
    eventually(lambda: ready(cluster, namespace, "other") == ("False", "PlatformDomain"))
    assert "domain" in status(cluster, namespace, "other")["message"]
    eventually(lambda: condition(cluster.get("staticsites", "other", namespace), "Synced").get("status") == "True")


@pytest.mark.usefixtures("blog", "syncer")
def test_certificate_trouble_shows_at_the_site(cluster: Cluster, namespace: str) -> None:
    eventually(lambda: ready(cluster, namespace)[0] == "True")
    host = cluster.get("virtualhosts", "blog.pages.example.com")
    assert host
    trouble = "the certificate cannot be issued: blog.pages.example.com does not lead here"
    conditions = [
        each | {"status": "False", "reason": "Failed", "message": trouble}
        if each["type"] == "CertificateReady"
        else each
        for each in host["status"]["conditions"]
    ]
    cluster.write_status("virtualhosts", "blog.pages.example.com", host["status"] | {"conditions": conditions})
    eventually(lambda: ready(cluster, namespace) == ("False", "Failed"))
    assert status(cluster, namespace)["message"] == trouble


@pytest.mark.usefixtures("blog")
def test_f19_a_status_is_written_only_when_it_says_something_new(
    cluster: Cluster, namespace: str, make_syncer: MakeSyncer, git_server: GitServer
) -> None:
    def version() -> str:
        return str((cluster.get("staticsites", "blog", namespace) or {})["metadata"]["resourceVersion"])

    def look(syncer: SyncerProcess) -> None:
        """A push is announced: the request for it shows that the syncer is done with what it did before."""
        asked = len(git_server.requests)
        syncer.deliver(deliveries.gitea_push(git_server.url("blog")))
        eventually(lambda: len(git_server.requests) > asked)

    with make_syncer() as syncer:
        eventually(lambda: ready(cluster, namespace)[0] == "True")
        look(syncer)
        before = version()
        for _ in range(3):
            look(syncer)
        assert version() == before
    with make_syncer() as syncer:
        syncer.wait_until_ready()
        for _ in range(3):
            look(syncer)
        assert version() == before, "a restart is no news"
    with make_syncer("--heartbeat", "5s"):
        eventually(lambda: version() != before)
    assert ready(cluster, namespace)[0] == "True"


def test_a_site_without_a_platform_says_who_can_help(
    cluster: Cluster, namespace: str, syncer: SyncerProcess, git_server: GitServer
) -> None:
    git_server.repository("blog").commit({"index.html": "one"})
    cluster.apply(static_site("blog", namespace, repo=git_server.url("blog")))
    eventually(lambda: ready(cluster, namespace) == ("Unknown", "NoPlatform"))
    assert status(cluster, namespace)["phase"] == "Pending"
    assert "administrator" in status(cluster, namespace)["message"]
