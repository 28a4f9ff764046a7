"""Anything else that can send ``{"repo": URL, "ref": "refs/heads/main"}``, signed as GitHub signs."""

import msgspec

from syncer.webhooks import Event, Forge, Headers, bodies, github, refs


class _Payload(msgspec.Struct):
    repo: str
    ref: str


def _parse(_headers: Headers, json: bytes) -> Event:
    payload = bodies.decode(json, _Payload)
    return refs.pushed((payload.repo,), refs.full(payload.ref), None)


GENERIC = Forge("generic", ("X-Delivery",), bodies.only_json, github.is_signed, _parse)
