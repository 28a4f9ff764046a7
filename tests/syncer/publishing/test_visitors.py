"""Who may visit a protected site: the htpasswd file of its Secret, or no one."""

from pathlib import Path

import pytest

from pages.api import SiteKey
from pages.core import Secret
from syncer.errors import SecretForbidden, SecretUnreadable, SiteClosed
from syncer.publishing.visitors import Visitors, users
from syncer.volume.releases import Releases
from tests.support.objects import parsed_site

APR1 = "ann:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/"
BCRYPT = "bob:$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"
SHA = "cec:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="


class Cluster:
    """One Secret, or the error that reading it raises."""

    def __init__(self) -> None:
        self.answer: Secret | Exception | None = None

    def secret(self, namespace: str, name: str) -> Secret | None:
        assert (namespace, name) == ("team", "visitors")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def secret(type_: str = "Opaque", **data: str) -> Secret:
    written = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "visitors"},
        "type": type_,
        "stringData": data,
    }
    return Secret.model_validate(written)


OPEN = parsed_site()
PROTECTED = parsed_site(basicAuth={"secretRef": {"name": "visitors"}})


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def visitors(tmp_path: Path, cluster: Cluster) -> Visitors:
    releases = Releases(tmp_path)
    releases.prepare()
    return Visitors(cluster, releases)


def file(tmp_path: Path) -> Path:
    return tmp_path / "releases" / "team" / "site" / "users"


@pytest.mark.parametrize("key", ["users", "auth"])
def test_the_file_has_the_users_of_the_secret(tmp_path: Path, cluster: Cluster, visitors: Visitors, key: str) -> None:
    cluster.answer = secret(**{key: f"# staff\n{APR1}\r\n\n {BCRYPT} \n{SHA}"})
    visitors.follow(PROTECTED)
    assert file(tmp_path).read_text() == f"{APR1}\n{BCRYPT}\n{SHA}\n"
    cluster.answer = secret(**{key: SHA})
    visitors.follow(PROTECTED)
    assert file(tmp_path).read_text() == f"{SHA}\n"
    visitors.follow(OPEN)
    assert not file(tmp_path).exists()


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "Secret 'visitors' does not exist in namespace 'team'; create it"),
        (secret(password=SHA), "has no key 'users' or 'auth'"),
        (secret("kubernetes.io/service-account-token", users=SHA), "has type"),
        (secret(users=""), "must have 1 to 100 users, not 0"),
        (secret(users=f"{SHA}\nbob:secret"), "line 2 has an unknown hash"),
        (secret(users=":{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g="), "line 1 is not `name:hash`"),
        (secret(users="a b:x"), "line 1 is not `name:hash`"),
        (secret(users=BCRYPT.replace("$05$", "$12$")), "a bcrypt hash of cost 12"),
        (secret(users="".join(f"{number}{SHA}\n" for number in range(101))), "must have 1 to 100 users, not 101"),
        (secret(users="#" * 20_000), "more than 16 KiB"),
        (SecretForbidden("team", "visitors", "kup6s-pages"), "does not let the syncer read Secret 'visitors'"),
    ],
)
def test_every_mistake_closes_the_site(
    tmp_path: Path, cluster: Cluster, visitors: Visitors, answer: Secret | Exception | None, why: str
) -> None:
    cluster.answer = secret(users=SHA)
    visitors.follow(PROTECTED)
    cluster.answer = answer
    with pytest.raises(SiteClosed, match="closed to all visitors") as raised:
        visitors.follow(PROTECTED)
    assert why in str(raised.value)
    assert not file(tmp_path).exists()
    assert ("kind: Role" in raised.value.remedy) == isinstance(answer, SecretForbidden)


def test_an_api_server_that_is_down_changes_nothing(tmp_path: Path, cluster: Cluster, visitors: Visitors) -> None:
    cluster.answer = secret(users=SHA)
    visitors.follow(PROTECTED)
    cluster.answer = SecretUnreadable("the API server is away")
    with pytest.raises(SecretUnreadable):
        visitors.follow(PROTECTED)
    assert file(tmp_path).read_text() == f"{SHA}\n"


def test_k1_no_password_or_hash_is_in_a_message() -> None:
    with pytest.raises(ValueError, match="line 1") as raised:
        users(b"ann:hunter2")
    assert "hunter2" not in str(raised.value)


def test_a_site_that_is_deleted_leaves_no_passwords(tmp_path: Path, cluster: Cluster, visitors: Visitors) -> None:
    cluster.answer = secret(users=SHA)
    visitors.follow(PROTECTED)
    Releases(tmp_path).take_offline(SiteKey("team", "site"))
    assert not file(tmp_path).exists()
