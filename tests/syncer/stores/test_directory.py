"""Manifests in files, with what an API server would add."""

from pathlib import Path

import pytest

from pages.api import StaticSiteStatus
from syncer.stores.directory import DirectoryStore
from syncer.stores.state import State, StateNotUsable

PLATFORM = {
    "apiVersion": "pages.kup6s.com/v1beta1",
    "kind": "Platform",
    "metadata": {"name": "local", "namespace": "kup6s-pages"},
    "spec": {"pagesDomain": "pages.localhost", "tls": {"mode": "Off"}},
}
SITE = """\
apiVersion: pages.kup6s.com/v1beta1
kind: StaticSite
metadata: {name: NAME, namespace: team}
spec: {repo: "https://forge.example.com/NAME"}
---
"""


class Place:
    """A folder of manifests with its state; `store` opens them again, as a restart does."""

    def __init__(self, root: Path) -> None:
        self.manifests = root / "manifests"
        self.manifests.mkdir()
        self.state = State(root / "state")

    def write(self, file: str, *names: str) -> None:
        (self.manifests / file).write_text("".join(SITE.replace("NAME", name) for name in names))

    def store(self) -> DirectoryStore:
        made = DirectoryStore([self.manifests], self.state, PLATFORM)
        made.reload()
        return made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    with made.state.locked():
        return made


def names(store: DirectoryStore) -> list[str]:
    return sorted(site.metadata.name for site in store.snapshot().sites)


def test_a_site_keeps_who_it_is_and_counts_its_changes(place: Place) -> None:
    place.write("a.yaml", "one")
    before = place.store().snapshot().sites[0].metadata
    again = place.store().snapshot().sites[0].metadata
    assert (again.uid, again.creation_timestamp, again.generation) == (before.uid, before.creation_timestamp, 1)
    text = (place.manifests / "a.yaml").read_text()
    (place.manifests / "a.yaml").write_text(text.replace("spec: {", "spec: {branch: dev, "))
    changed = place.store().snapshot().sites[0].metadata
    assert (changed.uid, changed.generation) == (before.uid, 2)


def test_the_first_in_a_file_is_the_oldest(place: Place) -> None:
    place.write("a.yaml", "second", "first")
    created = {site.metadata.name: site.metadata.creation_timestamp for site in place.store().snapshot().sites}
    assert created["second"] and created["first"]
    assert created["second"] < created["first"]


def test_a_status_outlives_a_restart_and_belongs_to_one_uid(place: Place) -> None:
    place.write("a.yaml", "one")
    store = place.store()
    site = store.snapshot().sites[0]
    store.write_status(site, StaticSiteStatus(phase="Ready"))
    stranger = site.model_copy(update={"metadata": site.metadata.model_copy(update={"uid": "other"})})
    store.write_status(stranger, StaticSiteStatus(phase="Error"))
    again = place.store().snapshot().sites[0]
    assert again.status
    assert again.status.phase == "Ready"


def test_a_broken_file_keeps_its_last_valid_content(place: Place) -> None:
    place.write("a.yaml", "one", "two")
    place.write("b.yaml", "three")
    place.store()
    (place.manifests / "a.yaml").write_text(SITE.replace("NAME", "one") + "a: [1")
    place.write("b.yaml", "four")
    assert names(place.store()) == ["four", "one", "two"]


def test_a_removed_file_removes_its_sites(place: Place) -> None:
    place.write("a.yaml", "one")
    place.write("b.yaml", "two")
    place.store()
    (place.manifests / "a.yaml").unlink()
    assert names(place.store()) == ["two"]
    assert [site["metadata"]["name"] for _, site in place.state.sites()] == ["two"]


def test_a_recreated_site_has_a_new_uid(place: Place) -> None:
    place.write("a.yaml", "one")
    store = place.store()
    before = store.snapshot().sites[0].metadata.uid
    (place.manifests / "a.yaml").unlink()
    store.reload()
    place.write("a.yaml", "one")
    store.reload()
    assert store.snapshot().sites[0].metadata.uid != before


def test_a_directory_that_is_gone_removes_nothing(place: Place) -> None:
    place.write("a.yaml", "one")
    place.store()
    place.manifests.rename(place.manifests.with_name("elsewhere"))
    store = place.store()
    assert names(store) == ["one"]
    assert not store.snapshot().complete


def password(store: DirectoryStore) -> bytes | None:
    secret = store.secret("team", "s")
    return secret.data["password"] if secret else None


def test_a_secret_is_read_at_each_use_and_never_kept(place: Place) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: team}\nstringData: {password: canary}\n"
    (place.manifests / "s.yaml").write_text(secret)
    store = place.store()
    assert password(store) == b"canary"
    assert store.secret("other", "s") is None
    (place.manifests / "s.yaml").write_text(secret.replace("canary", "rotated"))
    store.reload()
    assert password(store) == b"rotated"
    (place.manifests / "s.yaml").unlink()
    store.reload()
    assert store.secret("team", "s") is None
    assert not [path for path in place.state.folder.rglob("*.json") if "canary" in path.read_text()]


def test_a_site_without_an_interval_gets_the_one_that_was_asked_for(place: Place) -> None:
    place.write("a.yaml", "one")
    store = DirectoryStore([place.manifests], place.state, PLATFORM, sync_interval="30s")
    store.reload()
    assert store.snapshot().sites[0].spec.sync_interval == "30s"


def test_a_state_has_one_owner_at_a_time(tmp_path: Path) -> None:
    with State(tmp_path).locked():
        assert State(tmp_path).is_served()
        with pytest.raises(StateNotUsable, match="another `pages serve`"), State(tmp_path).locked():
            pass
    assert not State(tmp_path).is_served()
