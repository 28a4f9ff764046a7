"""Whom the commands ask: a cluster, or a `pages serve` of this machine. One interface, without any judgement in it."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from cli.diagnosis.facts import Facts, Object
from cli.exits import NoSuchSite


@dataclass(frozen=True)
class LogWanted:
    """Which lines of a site's log."""

    tail: int | None = None
    since: timedelta | None = None
    follow: bool = False


@dataclass(frozen=True)
class SyncResult:
    """How far a sync is, or how it ended (``ok`` is not None)."""

    text: str
    ok: bool | None = None


class Backend(Protocol):
    """A cluster or a `pages serve`. Everything raises CannotAsk where it cannot be asked."""

    where: str  # for messages: "the cluster of context prod"
    is_cluster: bool
    default_namespace: str | None  # where a site is meant that has no namespace; None: anywhere

    def sites(self, namespace: str | None) -> list[Object]:
        """The StaticSites of a namespace, or of all."""

    def site(self, namespace: str, name: str) -> Object | None:
        """One StaticSite."""

    def notes(self) -> list[str]:
        """What else is to be said, on stderr: mistakes in manifests count as not ready."""

    def is_whole(self) -> bool:
        """Whether nothing is wrong besides the sites themselves."""

    def facts(self, site: Object) -> Facts:
        """All that can be found out about a site but for what a visitor sees."""

    def request_sync(self, site: Object) -> str:
        """Ask for a sync now; what is returned is what ``sync_result`` wants."""

    def sync_result(self, site: Object, request: str) -> SyncResult:
        """How far the request is."""

    def log(self, site: Object, wanted: LogWanted) -> Iterator[str]:
        """What happened with a site, a line each."""

    def pin(self, site: Object, revision: str | None) -> str:
        """Set ``spec.revision``, or take it away; returns what was done."""


def find(backend: Backend, text: str, namespace: str | None = None) -> Object:
    """The site that is called NAME or NAMESPACE/NAME. Raises NoSuchSite, with those of a similar name."""
    given, slash, name = text.rpartition("/")
    if slash and namespace and given != namespace:
        raise NoSuchSite(f"{text} and --namespace {namespace} contradict each other: leave one of them out")
    meant = given or namespace or backend.default_namespace
    if meant:
        if found := backend.site(meant, name):
            return found
        there = backend.sites(meant)
    else:
        there = backend.sites(None)
        same = [each for each in there if each["metadata"]["name"] == name]
        if len(same) == 1:
            return same[0]
        if same:
            raise NoSuchSite(f"there are several sites {name!r}: {', '.join(map(key, same))}; name one in full")
    mistakes = "".join(f"\n{note}" for note in backend.notes())  # of a manifest that may well be the one that is meant
    raise NoSuchSite(_not_there(text, meant, [each["metadata"]["name"] for each in there]) + mistakes)


def _not_there(text: str, namespace: str | None, names: list[str]) -> str:
    where = f" in namespace {namespace}" if namespace else ""
    close = difflib.get_close_matches(text.rpartition("/")[2], names, n=3, cutoff=0.6)
    if close:
        return f"there is no site {text!r}{where}: did you mean {' or '.join(close)}?"
    hint = "`pages status` lists those that there are" if names else "there is none at all: another --namespace, or -A?"
    return f"there is no site {text!r}{where}; {hint}"


def key(site: Object) -> str:
    """``namespace/name``."""
    return f"{site['metadata']['namespace']}/{site['metadata']['name']}"
