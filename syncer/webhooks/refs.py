"""What a push was of: only branches are published, and tags that a site is pinned to (W5)."""

from syncer.webhooks import Event
from syncer.webhooks.bodies import NotADelivery

_BRANCH, _TAG = "refs/heads/", "refs/tags/"
_MOST_SHOWN = 100


def pushed(urls: tuple[str, ...], ref: str | None, after: str | None, *, deleted: bool = False) -> Event:
    """The event of a push. A branch keeps its slashes; one that was deleted leaves what is live as it is."""
    if ref is None:
        raise NotADelivery("a push must say its ref")
    name = shown(ref)
    if not ref.startswith(_BRANCH) or ref == _BRANCH:
        tag = ref.removeprefix(_TAG) if ref.startswith(_TAG) else None
        return Event("push", urls, tag=tag, ignored=f"{name} is not a branch; only branches are published")
    if deleted or (after and not after.strip("0")):
        return Event("push", urls, ignored=f"{name} was deleted; what is live stays")
    return Event("push", urls, branch=ref.removeprefix(_BRANCH))


def full(ref: str) -> str:
    """The ref, of a branch where only a plain name was given."""
    return ref if ref.startswith("refs/") else f"{_BRANCH}{ref}"


def not_a_push(name: str | None) -> str:
    """Why an event of that name is ignored."""
    return f"only pushes are acted on, and this is {shown(name)!r}" if name else "the delivery does not name its event"


def shown(text: str) -> str:
    """What others wrote, in a form that can be said again."""
    return "".join(each if each.isprintable() else "?" for each in text[:_MOST_SHOWN])
