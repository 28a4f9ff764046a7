"""The hooks over HTTP: Metacontroller posts the observed objects, and we answer with the desired ones.

A request that does not come from Metacontroller gets 400 and an explanation. An internal error gets 500 without
details, and never 200: Metacontroller deletes all children that are missing from a 200 answer.
"""

import time
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import structlog
from flask import Flask, Response, request
from pydantic_core import to_json
from werkzeug.exceptions import HTTPException

from hooks import payload, platform, virtualhost
from hooks.bearer import Tokens
from hooks.metrics import HookMetrics
from hooks.payload import NotAHookRequest
from pages.api import Object

log = structlog.get_logger(__name__)

MAX_REQUEST_BYTES = 64 << 20
_HOOKS = {"platform_customize", "platform_sync", "virtualhost_sync"}
# A request that /readyz makes, to check that the hooks can answer.
_PROBE: Mapping[str, Any] = {
    "parent": {
        "apiVersion": "pages.kup6s.com/v1beta1",
        "kind": "Platform",
        "metadata": {"name": "ready", "namespace": "ready"},
        "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
    },
    "children": {},
    "related": {payload.STATIC_SITE: {}},
}


def create_app(metrics: HookMetrics | None = None, tokens: Tokens | None = None) -> Flask:
    """The WSGI application. With ``tokens``, callers of the hooks need one of them."""
    counted = metrics or HookMetrics()
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES

    @app.post("/platform/customize")
    def platform_customize() -> Response:
        call = HookCall(counted)
        return call.answer(platform.customize(call.request))

    @app.post("/platform/sync")
    def platform_sync() -> Response:
        call = HookCall(counted)
        answer = platform.sync(call.request, now=datetime.now(UTC))
        counted.platform(answer["status"])
        return call.answer(answer)

    @app.post("/virtualhost/sync")
    def virtualhost_sync() -> Response:
        call = HookCall(counted)
        return call.answer(virtualhost.sync(call.request, now=datetime.now(UTC)))

    @app.get("/healthz")
    def healthz() -> Response:
        return _text("ok\n", 200)

    @app.get("/readyz")
    def readyz() -> Response:
        """Answer once a hook works, and not merely when the port is open."""
        platform.sync(_PROBE, now=datetime.now(UTC))
        return _text("ok\n", 200)

    @app.after_request
    def count(response: Response) -> Response:
        if request.endpoint in _HOOKS:
            counted.answered(request.path, response.status_code)
        return response

    @app.before_request
    def reject_callers_without_token() -> Response | None:
        if tokens and request.method == "POST" and not tokens.admits(request.headers.get("Authorization", "")):
            return _text("a hook needs a bearer token; name its Secret in the webhook's authorization\n", 401)
        return None

    app.before_request(bind_log_context)
    app.register_error_handler(NotAHookRequest, not_a_hook_request)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, internal_error)
    return app


class HookCall:
    """One call of a hook: decodes the request when created, and measures the time until the answer."""

    def __init__(self, counted: HookMetrics) -> None:
        self._counted = counted
        self._began = time.perf_counter()
        self.request = payload.decode(request.get_data(cache=False))
        _bind_parent(self.request.get("parent"))

    def answer(self, answer: Object) -> Response:
        """Count and log the answer, and return it as a response."""
        seconds, children = time.perf_counter() - self._began, len(answer.get("children", []))
        self._counted.decided(request.path, children, seconds)
        log.info("hook_answered", children=children, milliseconds=round(seconds * 1000, 1))
        return Response(to_json(answer), 200, mimetype="application/json")


def bind_log_context() -> None:
    """Add the hook and an id of this request to every log line that follows."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(reconcile=uuid.uuid4().hex[:12], hook=request.path)


def _bind_parent(parent: object) -> None:
    if isinstance(parent, dict):
        metadata = payload.metadata(parent)
        routes = payload.spec(parent).get("routes")
        sites = [route.get("site") for route in routes if isinstance(route, dict)] if isinstance(routes, list) else []
        structlog.contextvars.bind_contextvars(
            parent=f"{metadata.get('namespace')}/{metadata.get('name')}",
            sites=[f"{site.get('namespace')}/{site.get('name')}" for site in sites if isinstance(site, dict)],
        )


def not_a_hook_request(error: NotAHookRequest) -> Response:
    """Explain to the caller why this is not a request of Metacontroller."""
    log.warning("not_a_hook_request", error=str(error))
    return _text(f"not a hook request: {error}\n", 400)


def http_error(error: HTTPException) -> Response:
    """Answer as plain text, not as HTML."""
    return _text(f"{error.name}: {error.description}\n", error.code or 500)


def internal_error(error: Exception) -> Response:
    """Log the error, and keep its details from the caller."""
    log.error("hook_failed", exc_info=error)
    return _text("the hook failed; see its log\n", 500)


def _text(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
