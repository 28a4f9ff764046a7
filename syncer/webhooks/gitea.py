"""Gitea: ``X-Gitea-Signature`` is a bare hex HMAC-SHA256 of the JSON, in a form of the field ``payload``."""

import msgspec

from syncer.webhooks import Event, Forge, Headers, bodies, refs, signatures


class Repository(msgspec.Struct):
    """The repository's URLs."""

    clone_url: str | None = None
    ssh_url: str | None = None
    html_url: str | None = None


class Payload(msgspec.Struct):
    """What is used of any event."""

    ref: str | None = None
    after: str | None = None
    repository: Repository | None = None


def is_signed(headers: Headers, signed: bytes, secret: bytes) -> bool:
    """Whether the delivery was signed with the secret. Without one Gitea sends an empty signature."""
    return signatures.equal(headers.get("X-Gitea-Signature"), signatures.sha256_hex(secret, signed))


def parse(headers: Headers, json: bytes) -> Event:
    """What the delivery says."""
    return event(headers.get("X-Gitea-Event"), json)


def event(name: str | None, json: bytes) -> Event:
    """The event of that name, which Forgejo sends in the same way."""
    payload = bodies.decode(json, Payload)
    found = payload.repository or Repository()
    urls = tuple(url for url in (found.clone_url, found.ssh_url, found.html_url) if url)
    if name != "push":
        return Event(name or "unnamed", urls, ignored=refs.not_a_push(name))
    # A test delivery is a push that names its branch plainly; it shows all that a push would, so it is one.
    return refs.pushed(urls, payload.ref and refs.full(payload.ref), payload.after)


GITEA = Forge("gitea", ("X-Gitea-Delivery",), bodies.json_or_signed_payload, is_signed, parse)
