"""From the untrusted bytes of a delivery to its JSON (W4)."""

from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

import msgspec

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 16
T = TypeVar("T")


class NotADelivery(Exception):
    """The body is not one that the forge would send; the text says why."""


class UnknownContentType(Exception):
    """The forge does not send bodies of this type; the text lists the accepted ones."""


@dataclass(frozen=True)
class Body:
    """The bytes that the signature covers, and those that hold the JSON; often the same."""

    signed: bytes
    json: bytes


def only_json(content_type: str, raw: bytes) -> Body:
    """Read a body of JSON."""
    if content_type != JSON:
        raise UnknownContentType(f"send {JSON}")
    return Body(raw, raw)


def json_or_signed_payload(content_type: str, raw: bytes) -> Body:
    """Read JSON, or a form whose field ``payload`` is signed."""
    if content_type == FORM:
        payload = _payload(raw)
        return Body(payload, payload)
    return _json_or_form(content_type, raw)


def json_or_signed_form(content_type: str, raw: bytes) -> Body:
    """Read JSON, or a form with a field ``payload`` that is signed as a whole."""
    if content_type == FORM:
        return Body(raw, _payload(raw))
    return _json_or_form(content_type, raw)


def decode(json: bytes, model: type[T]) -> T:
    """The few fields of the JSON that are used. Raises NotADelivery."""
    try:
        return msgspec.json.decode(json, type=model)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise NotADelivery("the body is not the JSON that this forge sends") from error


def _json_or_form(content_type: str, raw: bytes) -> Body:
    if content_type != JSON:
        raise UnknownContentType(f"send {JSON} or {FORM}")
    return Body(raw, raw)


def _payload(raw: bytes) -> bytes:
    try:
        fields = parse_qsl(raw.decode("ascii"), errors="strict", max_num_fields=_MOST_FIELDS, keep_blank_values=True)
    except ValueError as error:
        raise NotADelivery("the body is not a form") from error
    payloads = [value for name, value in fields if name == "payload"]
    if len(payloads) != 1:
        raise NotADelivery("the form must have one field named payload")
    return payloads[0].encode()
