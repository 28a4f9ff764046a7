"""GitLab: its secret token comes as it is in ``X-Gitlab-Token``, or signs the delivery as Standard Webhooks do."""

import base64
import binascii
import hashlib
import hmac
import re

import msgspec

from syncer.webhooks import Event, Forge, Headers, bodies, refs, signatures

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


def is_signed(headers: Headers, signed: bytes, secret: bytes) -> bool:
    """Whether the delivery knows the secret. Where it is signed, the plain token beside the signature is not enough."""
    signature = headers.get("webhook-signature")
    if signature is None:
        return signatures.equal(headers.get("X-Gitlab-Token"), secret)
    # How old it is does not matter: a replay is known by its id, and a wrong clock must not cost all deliveries.
    stamped = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode("utf-8", "surrogatepass")
    expected = [_signature(key, stamped + signed) for key in _keys(secret)]
    # While a key is replaced there are several signatures, with spaces between them.
    return any(signatures.equal(each, one) for each in signature.split(" ")[:4] for one in expected)


def _signature(key: bytes, signed: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())


def _keys(secret: bytes) -> list[bytes]:
    """The key that a secret stands for, by how it is written."""
    if secret.startswith(_SIGNING_TOKEN):
        try:
            return [base64.b64decode(secret.removeprefix(_SIGNING_TOKEN), validate=True)]
        except binascii.Error:
            return [secret]
    return [secret, bytes.fromhex(secret.decode())] if _HEX_TOKEN.fullmatch(secret) else [secret]


def _parse(headers: Headers, json: bytes) -> Event:
    name = headers.get("X-Gitlab-Event")
    payload = bodies.decode(json, _Payload)
    found = payload.project or _Project()
    urls = tuple(url for url in (found.git_http_url, found.git_ssh_url, found.web_url) if url)
    # A System Hook's header is the same for everything that happens on the instance.
    kind = payload.object_kind or payload.event_name
    if name not in _PUSHES or kind not in {"push", "tag_push"}:
        said = f"{name}: {kind}" if name == "System Hook" and kind else name
        return Event(name or "unnamed", urls, ignored=refs.not_a_push(said))
    return refs.pushed(urls, payload.ref, payload.after)


# The first two are the same and stay so over retries; a signature covers the first, so a replay cannot have another.
_DELIVERY = ("webhook-id", "Idempotency-Key", "X-Gitlab-Event-UUID")
GITLAB = Forge("gitlab", _DELIVERY, bodies.only_json, is_signed, _parse)
