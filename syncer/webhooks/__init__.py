"""Webhooks of git forges: one file for each forge says how it signs its deliveries and what they contain.

The path names the forge, never the headers: Forgejo sends those of Gitea, Gogs and GitHub as well (W5).
"""

from dataclasses import dataclass
from typing import Protocol

from syncer.webhooks.bodies import Body


class RequestHeaders(Protocol):
    """A request's headers; names in any case. A header sent twice is one value with a comma in it."""

    def get(self, key: str, /) -> str | None:
        """The value, or None where it was not sent."""


@dataclass(frozen=True)
class ForgeEvent:
    """What a delivery says. Nothing in it is trusted, except that its sender knows a secret.

    ``urls`` are the spellings of the repository's URL, which are compared and never fetched. ``branch`` was pushed;
    where it is None, ``ignored`` says why there is nothing to sync, except for sites pinned to the ``tag``.
    """

    name: str
    urls: tuple[str, ...] = ()
    branch: str | None = None
    tag: str | None = None
    ignored: str = ""


class Forge(Protocol):
    """How one kind of forge sends its deliveries. The first of ``delivery_headers`` that was sent names a delivery."""

    name: str
    delivery_headers: tuple[str, ...]

    def unpack(self, content_type: str, raw: bytes) -> Body:
        """What is signed and what is JSON. Raises UnknownContentType and NotADelivery."""

    def is_signed(self, headers: RequestHeaders, signed: bytes, secret: bytes) -> bool:
        """Whether the delivery was signed with the secret."""

    def parse(self, headers: RequestHeaders, json: bytes) -> ForgeEvent:
        """What the delivery says. Raises NotADelivery."""
