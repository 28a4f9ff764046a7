"""Secret and Namespace: the kinds of Kubernetes' own API group, ``core/v1``, that we read."""

import base64
import binascii
from typing import Any, Literal

from pydantic import Field, model_validator

from pages.api import Model, ObjectMeta


class Secret(Model):
    """A Kubernetes Secret. ``data`` is decoded, includes ``stringData`` and is left out of ``repr``."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Secret"] = "Secret"
    metadata: ObjectMeta
    type: str = "Opaque"
    immutable: bool = False
    data: dict[str, bytes] = Field(default_factory=dict, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _decode(cls, written: Any) -> Any:  # noqa: ANN401 - unchecked input
        if not isinstance(written, dict):
            return written
        data = {key: _base64(key, value) for key, value in _mapping(written, "data").items()}
        data |= {key: _text(key, value) for key, value in _mapping(written, "stringData").items()}
        return {key: value for key, value in written.items() if key != "stringData"} | {"data": data}


class Namespace(Model):
    """A Kubernetes Namespace. A Platform's namespaceSelector matches its labels."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Namespace"] = "Namespace"
    metadata: ObjectMeta
    spec: dict[str, Any] = Field(default_factory=dict)


def _mapping(written: dict[str, Any], key: str) -> dict[str, Any]:
    value = written.get(key) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be a mapping")  # noqa: TRY004 - pydantic reports ValueErrors
    return value


def _base64(key: str, value: object) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "!", validate=True)
    except binascii.Error:
        raise ValueError(f"data.{key} must be base64; write plain text into stringData") from None


def _text(key: str, value: object) -> bytes:
    if not isinstance(value, str):
        raise ValueError(f"stringData.{key} must be text; put it in quotes")  # noqa: TRY004 - pydantic reports ValueErrors
    return value.encode()
