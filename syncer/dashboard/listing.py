"""Selects, sorts and pages the listed sites. Pure. The query is untrusted."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pages.api import SiteKey, StaticSite
from syncer.service.sites import Seen

STATES = ("Error", "Syncing", "Pending", "Suspended", "Ready")  # problems come first
SORTS = ("name", "state", "sync")
ROWS = 100
_MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Query:
    """What to list. Invalid values in an address are ignored."""

    text: str = ""
    state: str = ""
    sort: str = "name"
    page: int = 1

    @staticmethod
    def read(arguments: Mapping[str, str]) -> "Query":
        """Read it from an address."""
        state, sort, page = (arguments.get(name, "") for name in ("state", "sort", "page"))
        return Query(
            text=arguments.get("q", "").strip()[:_MOST_CHARACTERS],
            state=state if state in STATES else "",
            sort=sort if sort in SORTS else "name",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < len("10000") else 1,
        )

    def address(self, **changes: str | int) -> str:
        """An address of the list with these changes; its first page if they name none."""
        changed = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type] # the fields above
        values = {"q": changed.text, "state": changed.state, "sort": changed.sort, "page": changed.page}
        return "?" + urlencode({name: value for name, value in values.items() if value not in {"", "name", 1}})


@dataclass(frozen=True)
class ListPage:
    """One page of the list. ``counts`` are by state, and include the matches in other states than the selected one."""

    rows: Sequence[Seen]
    counts: Mapping[str, int]
    matching: int
    page: int
    pages: int


def state_of(site: StaticSite) -> str:
    """The site's phase."""
    return site.status.phase if site.status else "Pending"


def find(sites: Sequence[Seen], query: Query) -> ListPage:
    """The requested page, or the last one."""
    words = query.text.casefold().split()
    matching = [seen for seen in sites if not words or _matches(seen.site, words)]
    counts = Counter(state_of(seen.site) for seen in matching)
    shown = [seen for seen in matching if query.state in {"", state_of(seen.site)}]
    shown.sort(key=_ORDERS[query.sort])
    pages = max(1, -(-len(shown) // ROWS))
    page = min(max(1, query.page), pages)
    return ListPage(shown[(page - 1) * ROWS : page * ROWS], counts, len(shown), page, pages)


def _matches(site: StaticSite, words: Sequence[str]) -> bool:
    """Whether a row contains each of the words."""
    status, spec = site.status, site.spec
    columns = [site.key, spec.host or "", spec.repo, spec.branch, spec.revision or ""]
    if status:
        columns += [status.url or "", status.last_commit or "", status.message]
    text = "\n".join(columns).casefold()
    return all(word in text for word in words)


def _by_name(seen: Seen) -> SiteKey:
    return seen.site.site_key


def _by_state(seen: Seen) -> tuple[int, str, str]:
    return (STATES.index(state_of(seen.site)), *_by_name(seen))


def _by_sync(seen: Seen) -> tuple[float, str, str]:
    """The site that was synced longest ago comes first."""
    last = seen.site.status.last_sync if seen.site.status else None
    return (last.timestamp() if last else 0.0, *_by_name(seen))


_ORDERS: Mapping[str, Callable[[Seen], tuple[object, ...]]] = {
    "name": _by_name,
    "state": _by_state,
    "sync": _by_sync,
}
