"""Gitea: ``X-Gitea-Signature`` is a bare hex HMAC-SHA256 of the JSON, in a form of the field ``payload``."""

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
    repository: _Repository | None = None


class Gitea:
    """Gitea's deliveries."""

    name = "gitea"
    delivery_headers: tuple[str, ...] = ("X-Gitea-Delivery",)

    def unpack(self, content_type: str, raw: bytes) -> Body:
        """JSON, or a form whose ``payload`` is signed."""
        return bodies.json_or_signed_payload(content_type, raw)

    def is_signed(self, headers: RequestHeaders, signed: bytes, secret: bytes) -> bool:
        """Whether the signature is right. Without a secret, Gitea sends an empty one."""
        return signatures.equal(headers.get("X-Gitea-Signature"), signatures.sha256_hex(secret, signed))

    def parse(self, headers: RequestHeaders, json: bytes) -> ForgeEvent:
        """The event that the header names."""
        return event(headers.get("X-Gitea-Event"), json)


def event(name: str | None, json: bytes) -> ForgeEvent:
    """The event of that name. Forgejo sends the same bodies."""
    payload = bodies.decode(json, _Payload)
    repository = payload.repository or _Repository()
    urls = tuple(url for url in (repository.clone_url, repository.ssh_url, repository.html_url) if url)
    if name != "push":
        return ForgeEvent(name or "unnamed", urls, ignored=refs.not_a_push(name))
    # A test delivery is a push that names its branch without refs/heads/; it shows all that a push would.
    return refs.pushed(urls, payload.ref and refs.full(payload.ref), payload.after)


GITEA = Gitea()
