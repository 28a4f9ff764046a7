"""GitHub: ``X-Hub-Signature-256`` is ``sha256=`` and a hex HMAC-SHA256 of the whole body, form or JSON."""

import msgspec

from syncer.webhooks import ForgeEvent, RequestHeaders, bodies, refs, signatures
from syncer.webhooks.bodies import Body


class _Repository(msgspec.Struct):
    clone_url: str | None = None
    ssh_url: str | None = None
    html_url: str | None = None


class _Payload(msgspec.Struct):
    ref: str | None = None
    after: str | None = None
    deleted: bool = False
    repository: _Repository | None = None


class GitHub:
    """GitHub's deliveries."""

    name = "github"
    delivery_headers: tuple[str, ...] = ("X-GitHub-Delivery",)

    def unpack(self, content_type: str, raw: bytes) -> Body:
        """JSON, or a form that is signed as a whole."""
        return bodies.json_or_signed_form(content_type, raw)

    def is_signed(self, headers: RequestHeaders, signed: bytes, secret: bytes) -> bool:
        """Whether the signature is right. The old SHA-1 beside it is ignored."""
        return signatures.equal(headers.get("X-Hub-Signature-256"), b"sha256=" + signatures.sha256_hex(secret, signed))

    def parse(self, headers: RequestHeaders, json: bytes) -> ForgeEvent:
        """The event that the header names."""
        name = headers.get("X-GitHub-Event")
        payload = bodies.decode(json, _Payload)
        repository = payload.repository or _Repository()
        urls = tuple(url for url in (repository.clone_url, repository.ssh_url, repository.html_url) if url)
        if name == "ping":
            return ForgeEvent("ping", urls, ignored="pong: deliveries arrive and their signature is right")
        if name != "push":
            return ForgeEvent(name or "unnamed", urls, ignored=refs.not_a_push(name))
        return refs.pushed(urls, payload.ref, payload.after, deleted=payload.deleted)


GITHUB = GitHub()
