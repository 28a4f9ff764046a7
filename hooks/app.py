"""The hooks over HTTP: Metacontroller posts a request, we answer with what there should be.

A request that is not Metacontroller's gets 400 and a sentence. A failure of ours gets 500 and nothing internal, because
whatever is missing from a 200 answer is deleted.
"""

import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from flask import Flask, Response, request
from pydantic_core import to_json
from werkzeug.exceptions import HTTPException

from hooks import payload, platform, virtualhost
from hooks.bearer import Tokens
from hooks.metrics import HookMetrics
from hooks.payload import NotAHookRequest, Object

log = structlog.get_logger(__name__)

MAX_REQUEST_BYTES = 64 << 20
Clock = Callable[[], datetime]
_HOOKS = {"platform_customize", "platform_sync", "virtualhost_sync"}
# A question whose answer is known: /readyz asks it.
_QUESTION: Mapping[str, Any] = {
    "parent": {
        "apiVersion": "pages.kup6s.com/v1beta1",
        "kind": "Platform",
        "metadata": {"name": "ready", "namespace": "ready"},
        "spec": {"pagesDomain": "pages.example.com", "tls": {"mode": "Off"}},
    },
    "children": {},
    "related": {payload.STATIC_SITE: {}},
}


def create_app(
    clock: Clock = lambda: datetime.now(UTC), metrics: HookMetrics | None = None, tokens: Tokens | None = None
) -> Flask:
    """The WSGI application. With ``tokens``, a hook is for those who show one."""
    counted = metrics or HookMetrics()
    decide = partial(_decide, counted)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES

    @app.post("/platform/customize")
    def platform_customize() -> Response:
        return decide(platform.customize)

    @app.post("/platform/sync")
    def platform_sync() -> Response:
        return decide(partial(platform.sync, now=clock()), counted.platform)

    @app.post("/virtualhost/sync")
    def virtualhost_sync() -> Response:
        return decide(partial(virtualhost.sync, now=clock()))

    @app.get("/healthz")
    def healthz() -> Response:
        return _text("ok\n", 200)

    @app.get("/readyz")
    def readyz() -> Response:
        """Whether a question is answered, and not only a port open."""
        platform.sync(_QUESTION, now=clock())
        return _text("ok\n", 200)

    @app.after_request
    def count(response: Response) -> Response:
        if request.endpoint in _HOOKS:
            counted.answered(request.path, response.status_code)
        return response

    @app.before_request
    def _is_for_bearers() -> Response | None:
        if tokens and request.method == "POST" and not tokens.admits(request.headers.get("Authorization", "")):
            return _text("a hook wants a bearer token: name the Secret in the webhook's authorization\n", 401)
        return None

    app.before_request(_begin_reconcile)
    app.register_error_handler(NotAHookRequest, _not_a_hook_request)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    return app


def _decide(
    counted: HookMetrics,
    hook: Callable[[Mapping[str, Any]], Object],
    look: Callable[[Mapping[str, Any]], None] = lambda _status: None,
) -> Response:
    """Answer with what the hook decides; ``look`` is shown the parent's new status."""
    began = time.perf_counter()
    answer = hook(_hook_request())
    seconds, children = time.perf_counter() - began, len(answer.get("children", []))
    counted.decided(request.path, children, seconds)
    look(answer.get("status", {}))
    log.info("hook_answered", bytes=request.content_length, children=children, milliseconds=round(seconds * 1000, 1))
    return Response(to_json(answer), 200, mimetype="application/json")


def _begin_reconcile() -> None:
    """Every line that is logged from here on says which answer it belongs to."""
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


def _hook_request() -> Mapping[str, Any]:
    found = payload.decode(request.get_data(cache=False))
    _bind_parent(found.get("parent"))
    return found


def _not_a_hook_request(error: NotAHookRequest) -> Response:
    log.warning("not_a_hook_request", error=str(error))
    return _text(f"not a hook request: {error}\n", 400)


def _http_error(error: HTTPException) -> Response:
    return _text(f"{error.name}: {error.description}\n", error.code or 500)


def _internal_error(error: Exception) -> Response:
    log.error("hook_failed", exc_info=error)
    return _text("the hook failed; its log says why\n", 500)


def _text(text: str, status: int) -> Response:
    return Response(text, status, mimetype="text/plain")
