"""Any other sender of ``{"repo": URL, "ref": "refs/heads/main"}``, signed as GitHub signs."""

import msgspec

from syncer.webhooks import ForgeEvent, RequestHeaders, bodies, refs
from syncer.webhooks.bodies import Body
from syncer.webhooks.github import GitHub


class _Payload(msgspec.Struct):
    repo: str
    ref: str


class Generic(GitHub):
    """Deliveries of scripts and of forges without a path of their own."""

    name = "generic"
    delivery_headers = ("X-Delivery",)

    def unpack(self, content_type: str, raw: bytes) -> Body:
        """JSON only."""
        return bodies.only_json(content_type, raw)

    def parse(self, headers: RequestHeaders, json: bytes) -> ForgeEvent:  # noqa: ARG002 - the body says all
        """A push."""
        payload = bodies.decode(json, _Payload)
        return refs.pushed((payload.repo,), refs.full(payload.ref), None)


GENERIC = Generic()
