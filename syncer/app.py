"""The HTTP API of the syncer: webhooks, and requests by the owners of sites. Errors are problem details (RFC 9457)."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol

import structlog
from flask import Flask, Response, g, json, request
from werkzeug.exceptions import (
    HTTPException,
    RequestEntityTooLarge,
    ServiceUnavailable,
    Unauthorized,
    UnsupportedMediaType,
)

from pages.api import SiteKey, StaticSite
from syncer.duty import Duty
from syncer.errors import SyncError
from syncer.recorder import Recorder
from syncer.reporting.commit_status import CommitStatusResults
from syncer.sources import source_of
from syncer.webhooks.bodies import NotADelivery, UnknownContentType
from syncer.webhooks.matching import LatestIndex
from syncer.webhooks.receiver import FORGES, Answer, NotSigned, Receiver, SyncRequests
from syncer.webhooks.record import Record
from syncer.webhooks.trust import Trust

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 1 << 20
# The outcome of a delivery that was not accepted, by the status of the response.
_OUTCOMES = {400: "invalid", 401: "refused", 413: "invalid", 415: "invalid", 503: "unavailable"}


class LiveSites(Protocol):
    """What visitors see."""

    def take_offline(self, site: SiteKey) -> None:
        """Stop serving the site."""


@dataclass(frozen=True)
class Engine:
    """The parts of the syncer that the API uses; it answers 503 while another syncer is at work."""

    index: LatestIndex
    requests: SyncRequests
    live: LiveSites
    commit_statuses: CommitStatusResults
    deliveries: Record = field(default_factory=Record)
    recorder: Recorder = field(default_factory=Recorder)
    duty: Duty = field(default_factory=Duty)


def create_app(trust: Trust, engine: Engine) -> Flask:
    """The WSGI application."""
    app = Flask(__name__, static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.merge_slashes = False

    @app.before_request
    def only_at_work() -> None:
        if engine.duty.not_ready():
            raise ServiceUnavailable("another syncer is at work; try again", retry_after=5)

    _register_webhooks(app, Receiver(trust, engine.index, engine.requests, engine.deliveries))
    _register_sites(app, trust, engine)
    _register_errors(app)
    _register_recorder(app, engine.recorder)
    return app


def _register_webhooks(app: Flask, receiver: Receiver) -> None:
    @app.post(f"/webhook/<any({','.join(FORGES)}):forge>")
    def webhook(forge: str) -> Response:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise UnsupportedMediaType("send the body without a Content-Encoding")
        answer = receiver.receive(FORGES[forge], request.headers, request.mimetype, _body())
        g.outcome = answer.status
        return _delivered(answer)


def _register_recorder(app: Flask, recorder: Recorder) -> None:
    @app.after_request
    def record(response: Response) -> Response:
        """Record the forge in the path, which is one of ours, and nothing that was sent."""
        if request.endpoint == "webhook" and request.view_args:
            outcome = g.get("outcome") or _OUTCOMES.get(response.status_code, "failed")
            recorder.delivery_answered(request.view_args["forge"], outcome)
        return response


def _register_sites(app: Flask, trust: Trust, engine: Engine) -> None:
    def site_of(namespace: str, name: str) -> StaticSite:
        """The site whose token was sent; a site that does not exist is rejected like any other (W8)."""
        site = engine.index.latest().named(SiteKey(namespace, name))
        if not trust.opens(site, request.headers.get("X-API-Key")) or site is None:
            raise Unauthorized("X-API-Key must be the site's status.syncToken")
        return site

    @app.post("/sync/<namespace>/<name>")
    def sync(namespace: str, name: str) -> Response:
        site = site_of(namespace, name)
        if site.spec.suspend:
            return _delivered(Answer("ignored", "the site is suspended (spec.suspend)"))
        engine.requests.put([source_of(site)])
        return _delivered(Answer("queued", "queued: 1 site", (site.site_key,)))

    @app.delete("/site/<namespace>/<name>")
    def delete(namespace: str, name: str) -> Response:
        site = site_of(namespace, name)
        engine.live.take_offline(site.site_key)
        log.info("site_dropped", site=site.key)
        return _json({"status": "deleted", "message": "the next sync brings the site back", "site": site.key})

    @app.get("/site/<namespace>/<name>")
    def show(namespace: str, name: str) -> Response:
        site = site_of(namespace, name)
        uid, deliveries = site.metadata.uid, engine.deliveries
        last, refused = deliveries.last(uid), deliveries.last_refused(uid)
        return _json(
            {
                "site": site.key,
                "lastDelivery": last.dump() if last else None,
                "lastRefusedDelivery": refused.dump() if refused else None,
                "commitStatus": engine.commit_statuses.result(uid),
            }
        )


def _body() -> bytes:
    """The body of the request; Flask cuts it off at the limit if its length was not sent (W4)."""
    body = request.get_data(cache=False)
    if request.content_length is None and len(body) >= MAX_BODY_BYTES:
        raise RequestEntityTooLarge
    return body


def _delivered(answer: Answer) -> Response:
    status = HTTPStatus.ACCEPTED if answer.status == "queued" else HTTPStatus.OK
    return _json(
        {"status": answer.status, "message": answer.message, "sites": [str(site) for site in answer.sites]}, status
    )


def _json(content: dict[str, Any], status: int = HTTPStatus.OK, kind: str = "application/json") -> Response:
    return Response(json.dumps(content) + "\n", status, {"Cache-Control": "no-store"}, mimetype=kind)


def _register_errors(app: Flask) -> None:
    @app.errorhandler(NotSigned)
    def not_signed(_error: NotSigned) -> Response:
        return _problem(401, "sign the delivery with the webhook secret, or with the site's status.syncToken")

    @app.errorhandler(NotADelivery)
    def not_a_delivery(error: NotADelivery) -> Response:
        return _problem(400, str(error))

    @app.errorhandler(UnknownContentType)
    def unknown_content_type(error: UnknownContentType) -> Response:
        return _problem(415, str(error))

    @app.errorhandler(SyncError)
    def not_possible_now(error: SyncError) -> Response:
        log.warning("request_failed", reason=error.reason, error=str(error))
        return _problem(503, "this is not possible at the moment; try again")

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        response = _problem(error.code or 500, error.description or "")
        for name, value in error.get_headers():
            if name in {"Allow", "Retry-After"}:
                response.headers[name] = value
        return response

    @app.errorhandler(Exception)
    def internal_error(error: Exception) -> Response:
        log.error("request_crashed", exc_info=error)
        return _problem(500, "the request failed; the log says why")


def _problem(status: int, detail: str) -> Response:
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return _json(content, status, "application/problem+json")
