"""Forgejo: Gitea's bodies, with names of its own in the headers.

Where a delivery has no ``X-Forgejo-Signature`` at all, it is Gitea's: kup6s/pages 1.0 had one path for both.
"""

from syncer.webhooks import Event, Forge, Headers, bodies, gitea, signatures


def is_signed(headers: Headers, signed: bytes, secret: bytes) -> bool:
    """Whether the delivery was signed with the secret. A wrong signature is not rescued by another header (W2)."""
    sent = headers.get("X-Forgejo-Signature")
    if sent is None:
        return gitea.is_signed(headers, signed, secret)
    return signatures.equal(sent, signatures.sha256_hex(secret, signed))


def parse(headers: Headers, json: bytes) -> Event:
    """What the delivery says."""
    return gitea.event(headers.get("X-Forgejo-Event") or headers.get("X-Gitea-Event"), json)


FORGEJO = Forge("forgejo", ("X-Forgejo-Delivery", "X-Gitea-Delivery"), bodies.json_or_signed_payload, is_signed, parse)
