"""Where the commands get their answers: a cluster, or a `pages serve` on this machine, by one interface."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from cli.diagnosis.facts import Facts, Object
from cli.diagnosis.verdicts import Verdict
from cli.exits import NoSuchSite

T = TypeVar("T")


@dataclass(frozen=True)
class LogSelection:
    """Which lines of a site's log to show."""

    tail: int | None = None
    since: timedelta | None = None
    follow: bool = False

    def last(self, lines: Sequence[T]) -> Sequence[T]:
        """The last ``tail`` lines, or all."""
        return lines if self.tail is None else lines[max(0, len(lines) - self.tail) :]


@dataclass(frozen=True)
class SyncResult:
    """The progress of a sync, or its end (``ok`` is not None)."""

    text: str
    ok: bool | None = None


class Backend(Protocol):
    """A cluster or a `pages serve`. Each method raises CannotAsk where it gets no answer."""

    where: str  # for messages: "the cluster of context prod"
    is_cluster: bool
    default_namespace: str | None  # of a site without a namespace; None: any

    def sites(self, namespace: str | None) -> list[Object]:
        """The StaticSites of a namespace, or of all."""

    def site(self, namespace: str, name: str) -> Object | None:
        """One StaticSite."""

    def mistakes(self) -> list[str]:
        """The mistakes in manifests, which are then not in use."""

    def notes(self) -> list[str]:
        """What limits the answers, for stderr."""

    def facts(self, site: Object) -> Facts:
        """All facts about a site, except for the response that a visitor gets."""

    def examine(self) -> list[Verdict]:
        """Check what all sites depend on."""

    def api_url(self) -> str | None:
        """The address of the syncer's API, if it is known."""

    def request_sync(self, site: Object) -> str:
        """Request a sync, and return an id of the request for ``sync_result``."""

    def sync_result(self, site: Object, request: str) -> SyncResult:
        """The progress of a request."""

    def log(self, site: Object, selection: LogSelection) -> Iterator[str]:
        """The log of a site, line by line."""

    def pin(self, site: Object, revision: str | None) -> str:
        """Set or remove ``spec.revision``, and return a description of the change."""


def find(backend: Backend, text: str, namespace: str | None = None) -> Object:
    """The site NAME or NAMESPACE/NAME. Raises NoSuchSite, with sites of a similar name."""
    explicit, slash, name = text.rpartition("/")
    if slash and namespace and explicit != namespace:
        raise NoSuchSite(f"SITE {text} and --namespace {namespace} name different namespaces: leave one of them out")
    place = explicit or namespace or backend.default_namespace
    site = backend.site(place, name) if place else _only_site(backend, name)
    if site:
        return site
    names = [each["metadata"]["name"] for each in backend.sites(place)]
    # A mistake in its manifest may be the reason.
    raise NoSuchSite("\n".join([_not_there(text, place, names), *backend.mistakes(), *backend.notes()]))


def _only_site(backend: Backend, name: str) -> Object | None:
    same = [each for each in backend.sites(None) if each["metadata"]["name"] == name]
    if len(same) > 1:
        raise NoSuchSite(f"there are several sites {name!r}: {', '.join(map(key, same))}; use NAMESPACE/NAME")
    return same[0] if same else None


def _not_there(text: str, namespace: str | None, names: list[str]) -> str:
    where = f" in namespace {namespace}" if namespace else ""
    close = difflib.get_close_matches(text.rpartition("/")[2], names, n=3, cutoff=0.6)
    if close:
        return f"there is no site {text!r}{where}: did you mean {' or '.join(close)}?"
    hint = "run `pages status` to list the sites" if names else "there are no sites here; try --namespace or -A"
    return f"there is no site {text!r}{where}; {hint}"


def key(site: Object) -> str:
    """``namespace/name``."""
    return f"{site['metadata']['namespace']}/{site['metadata']['name']}"
