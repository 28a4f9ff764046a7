"""The list: which sites are shown, in which order, on how many pages. Pure; the query is whatever a visitor sends."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from pages.api import SiteKey, StaticSite
from syncer.service.sites import Seen

STATES = ("Error", "Syncing", "Pending", "Suspended", "Ready")  # what is wrong comes first
SORTS = ("name", "state", "sync")
ROWS = 100
_MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Query:
    """What to show; what makes no sense in an address is as if it were not there."""

    text: str = ""
    state: str = ""
    sort: str = "name"
    page: int = 1

    @staticmethod
    def read(arguments: Mapping[str, str]) -> "Query":
        """From the address's query."""
        state, sort, page = (arguments.get(name, "") for name in ("state", "sort", "page"))
        return Query(
            text=arguments.get("q", "").strip()[:_MOST_CHARACTERS],
            state=state if state in STATES else "",
            sort=sort if sort in SORTS else "name",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < len("10000") else 1,
        )

    def address(self, **changes: str | int) -> str:
        """A query for an address of the same list; without a page, its first."""
        changed = replace(self, **({"page": 1} | changes))  # type: ignore[arg-type] # names and kinds as above
        said = {"q": changed.text, "state": changed.state, "sort": changed.sort, "page": changed.page}
        return "?" + urlencode({name: value for name, value in said.items() if value not in {"", "name", 1}})


@dataclass(frozen=True)
class Listing:
    """One page of it. ``counts`` are by state, of all that fit the search, whatever state is asked for."""

    rows: Sequence[Seen]
    counts: Mapping[str, int]
    found: int
    page: int
    pages: int


def state_of(site: StaticSite) -> str:
    """The site's phase."""
    return site.status.phase if site.status else "Pending"


def find(sites: Sequence[Seen], query: Query) -> Listing:
    """The page that is asked for, or the last one where there are fewer."""
    words = query.text.casefold().split()
    matching = [seen for seen in sites if not words or _fits(seen.site, words)]
    counts = Counter(state_of(seen.site) for seen in matching)
    shown = [seen for seen in matching if query.state in {"", state_of(seen.site)}]
    shown.sort(key=_ORDERS[query.sort])
    pages = max(1, -(-len(shown) // ROWS))
    page = min(max(1, query.page), pages)
    return Listing(shown[(page - 1) * ROWS : page * ROWS], counts, len(shown), page, pages)


def _fits(site: StaticSite, words: Sequence[str]) -> bool:
    """Whether each word is somewhere in what a row tells."""
    status, spec = site.status, site.spec
    told = [site.key, spec.host or "", spec.repo, spec.branch, spec.revision or ""]
    if status:
        told += [status.url or "", status.last_commit or "", status.message]
    text = "\n".join(told).casefold()
    return all(word in text for word in words)


def _by_name(seen: Seen) -> SiteKey:
    return seen.site.site_key


def _by_state(seen: Seen) -> tuple[int, str, str]:
    return (STATES.index(state_of(seen.site)), *_by_name(seen))


def _by_sync(seen: Seen) -> tuple[float, str, str]:
    """What was synced longest ago comes first."""
    last = seen.site.status.last_sync if seen.site.status else None
    return (last.timestamp() if last else 0.0, *_by_name(seen))


_ORDERS: Mapping[str, Callable[[Seen], tuple[object, ...]]] = {
    "name": _by_name,
    "state": _by_state,
    "sync": _by_sync,
}
