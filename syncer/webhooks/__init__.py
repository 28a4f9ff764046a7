"""Webhooks of git forges: one file per forge says how its deliveries are signed and what they say.

The path says which forge it is, never the headers: Forgejo sends Gitea's, Gogs' and GitHub's as well (W5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from syncer.webhooks.bodies import Body


class Headers(Protocol):
    """A request's headers; names in any case. One that was sent twice is one value with a comma in it."""

    def get(self, key: str, /) -> str | None:
        """The value, or None where it was not sent."""


@dataclass(frozen=True)
class Event:
    """What a delivery says: nothing in it is believed but that somebody who knows a secret sent it.

    ``urls`` are the spellings of the repository's URL, only to be compared and never fetched. ``branch`` is what was
    pushed; where it is None, ``ignored`` says why there is nothing to sync, but for who is pinned to the ``tag``.
    """

    name: str
    urls: tuple[str, ...] = ()
    branch: str | None = None
    tag: str | None = None
    ignored: str = ""


@dataclass(frozen=True)
class Forge:
    """How one kind of forge sends its deliveries.

    ``delivery_headers`` name a delivery, the first that was sent counts. ``unpack`` takes the content type and the
    body, and raises what ``bodies`` raises. ``is_signed`` says whether the delivery was signed with a secret. ``parse``
    reads the JSON and raises NotADelivery.
    """

    name: str
    delivery_headers: tuple[str, ...]
    unpack: Callable[[str, bytes], Body]
    is_signed: Callable[[Headers, bytes, bytes], bool]
    parse: Callable[[Headers, bytes], Event]
