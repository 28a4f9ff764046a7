"""Forgejo: Gitea's bodies, with headers of its own.

A delivery without any ``X-Forgejo-Signature`` counts as Gitea's: kup6s/pages 1.0 had one path for both.
"""

from syncer.webhooks import ForgeEvent, RequestHeaders, gitea, signatures
from syncer.webhooks.gitea import Gitea


class Forgejo(Gitea):
    """Forgejo's deliveries."""

    name = "forgejo"
    delivery_headers = ("X-Forgejo-Delivery", "X-Gitea-Delivery")

    def is_signed(self, headers: RequestHeaders, signed: bytes, secret: bytes) -> bool:
        """Whether the signature is right. A wrong one is not excused by a right one in another header (W2)."""
        sent = headers.get("X-Forgejo-Signature")
        if sent is None:
            return super().is_signed(headers, signed, secret)
        return signatures.equal(sent, signatures.sha256_hex(secret, signed))

    def parse(self, headers: RequestHeaders, json: bytes) -> ForgeEvent:
        """The event that the headers name."""
        return gitea.event(headers.get("X-Forgejo-Event") or headers.get("X-Gitea-Event"), json)


FORGEJO = Forgejo()
