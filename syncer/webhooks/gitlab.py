"""GitLab: the secret token is sent in ``X-Gitlab-Token``, or signs the delivery as in Standard Webhooks."""

import base64
import binascii
import hashlib
import hmac
import re

import msgspec

from syncer.webhooks import ForgeEvent, RequestHeaders, bodies, refs, signatures
from syncer.webhooks.bodies import Body

_SIGNING_TOKEN = b"whsec_"  # then base64 of the key
_HEX_TOKEN = re.compile(rb"[0-9a-f]{64}")  # a syncToken: GitLab wants its 32 bytes in base64
_PUSHES = ("Push Hook", "Tag Push Hook", "System Hook")


class _Project(msgspec.Struct):
    git_http_url: str | None = None
    git_ssh_url: str | None = None
    web_url: str | None = None


class _Payload(msgspec.Struct):
    object_kind: str | None = None
    event_name: str | None = None
    ref: str | None = None
    after: str | None = None
    project: _Project | None = None


class GitLab:
    """GitLab's deliveries."""

    name = "gitlab"
    # The first two are equal and do not change when GitLab retries. A signature covers the first, so that a replay
    # cannot change it.
    delivery_headers: tuple[str, ...] = ("webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID")

    def unpack(self, content_type: str, raw: bytes) -> Body:
        """JSON only."""
        return bodies.only_json(content_type, raw)

    def is_signed(self, headers: RequestHeaders, signed: bytes, secret: bytes) -> bool:
        """Whether the sender knows the secret. Where it signs, the plain token beside the signature is not enough."""
        signature = headers.get("webhook-signature")
        if signature is None:
            return signatures.equal(headers.get("X-Gitlab-Token"), secret)
        # The timestamp is not checked: a replay is known by its id, and a wrong clock must not cost all deliveries.
        stamped = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode("utf-8", "surrogatepass")
        expected = [_signature(key, stamped + signed) for key in _keys(secret)]
        # While a key is replaced there are several signatures, separated by spaces.
        return any(signatures.equal(each, one) for each in signature.split(" ")[:4] for one in expected)

    def parse(self, headers: RequestHeaders, json: bytes) -> ForgeEvent:
        """The event that header and body name."""
        name = headers.get("X-Gitlab-Event")
        payload = bodies.decode(json, _Payload)
        project = payload.project or _Project()
        urls = tuple(url for url in (project.git_http_url, project.git_ssh_url, project.web_url) if url)
        # The header of a System Hook is the same for every event of the instance.
        kind = payload.object_kind or payload.event_name
        if name not in _PUSHES or kind not in {"push", "tag_push"}:
            detailed = f"{name}: {kind}" if name == "System Hook" and kind else name
            return ForgeEvent(name or "unnamed", urls, ignored=refs.not_a_push(detailed))
        return refs.pushed(urls, payload.ref, payload.after)


def _signature(key: bytes, signed: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def _keys(secret: bytes) -> list[bytes]:
    """The possible keys of a secret, by its format."""
    if secret.startswith(_SIGNING_TOKEN):
        try:
            return [base64.b64decode(secret.removeprefix(_SIGNING_TOKEN), validate=True)]
        except binascii.Error:
            return [secret]
    return [secret, bytes.fromhex(secret.decode())] if _HEX_TOKEN.fullmatch(secret) else [secret]


GITLAB = GitLab()
