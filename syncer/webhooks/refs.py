"""Which branch or tag a push concerns: sites follow branches, or are pinned to tags (W5)."""

from syncer.webhooks import ForgeEvent
from syncer.webhooks.bodies import NotADelivery

_BRANCH, _TAG = "refs/heads/", "refs/tags/"
_MOST_SHOWN = 100


def pushed(urls: tuple[str, ...], ref: str | None, after: str | None, *, deleted: bool = False) -> ForgeEvent:
    """The event of a push. A branch keeps its slashes; a deleted branch changes nothing that is live."""
    if ref is None:
        raise NotADelivery("a push must name its ref")
    name = shown(ref)
    if not ref.startswith(_BRANCH) or ref == _BRANCH:
        tag = ref.removeprefix(_TAG) if ref.startswith(_TAG) else None
        return ForgeEvent("push", urls, tag=tag, ignored=f"{name} is not a branch; sites follow branches only")
    if deleted or (after and not after.strip("0")):
        return ForgeEvent("push", urls, ignored=f"{name} was deleted; the site stays live")
    return ForgeEvent("push", urls, branch=ref.removeprefix(_BRANCH))


def full(ref: str) -> str:
    """The full name of a ref; a plain name is that of a branch."""
    return ref if ref.startswith("refs/") else f"{_BRANCH}{ref}"


def not_a_push(name: str | None) -> str:
    """Why an event of that name is ignored."""
    return f"only pushes start a sync, and this is {shown(name)!r}" if name else "the delivery does not name its event"


def shown(text: str) -> str:
    """Untrusted text, short and without control characters."""
    return "".join(each if each.isprintable() else "?" for each in text[:_MOST_SHOWN])
