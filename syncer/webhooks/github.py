"""GitHub: ``X-Hub-Signature-256`` is ``sha256=`` and a hex HMAC-SHA256 of the whole body, form or JSON."""

import msgspec

from syncer.webhooks import Event, Forge, Headers, bodies, refs, signatures


class _Repository(msgspec.Struct):
    clone_url: str | None = None
    ssh_url: str | None = None
    html_url: str | None = None


class _Payload(msgspec.Struct):
    ref: str | None = None
    after: str | None = None
    deleted: bool = False
    repository: _Repository | None = None


def is_signed(headers: Headers, signed: bytes, secret: bytes) -> bool:
    """Whether the delivery was signed with the secret; the old SHA-1 beside it is not looked at."""
    return signatures.equal(headers.get("X-Hub-Signature-256"), b"sha256=" + signatures.sha256_hex(secret, signed))


def _parse(headers: Headers, json: bytes) -> Event:
    name = headers.get("X-GitHub-Event")
    payload = bodies.decode(json, _Payload)
    found = payload.repository or _Repository()
    urls = tuple(url for url in (found.clone_url, found.ssh_url, found.html_url) if url)
    if name == "ping":
        return Event("ping", urls, ignored="pong: deliveries arrive here and their signature is right")
    if name != "push":
        return Event(name or "unnamed", urls, ignored=refs.not_a_push(name))
    return refs.pushed(urls, payload.ref, payload.after, deleted=payload.deleted)


GITHUB = Forge("github", ("X-GitHub-Delivery",), bodies.json_or_signed_form, is_signed, _parse)
