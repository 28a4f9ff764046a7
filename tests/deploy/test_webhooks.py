"""The public part of the syncer, and the limits in front of it."""

import re
from typing import Any

import pytest

from syncer.app import MAX_BODY_BYTES
from tests.support.chart import containers, find, helm, of_kind, pods, render, variant
from tests.support.control_plane import Object

ISSUED = {"pagesDomain": "pages.example.com", "tls": {"issuerRef": {"name": "letsencrypt"}}}


def route(objects: list[Object]) -> Any:
    return find(objects, "IngressRoute", "pages-webhook")["spec"]


def test_w8_only_the_apis_paths_are_public() -> None:
    (rule,) = route(variant("served"))["routes"]
    assert set(re.findall(r"PathPrefix\(`([^`]*)`\)", rule["match"])) == {"/webhook/", "/sync/", "/site/"}
    assert rule["match"].startswith("Host(`webhook.pages.example.com`) && (")
    assert "Path(" not in rule["match"]
    assert rule["services"] == [{"name": "pages-syncer", "port": "api"}]


def test_w8_no_public_service_exposes_health_or_metrics() -> None:
    (port,) = find(variant("served"), "Service", "pages-syncer")["spec"]["ports"]
    arguments = containers(pods(variant("served"))["pages-syncer"])["syncer"]["args"]
    ports = {
        each["name"]: each["containerPort"]
        for each in containers(pods(variant("served"))["pages-syncer"])["syncer"]["ports"]
    }
    assert port["targetPort"] == "api"
    assert f"--bind=0.0.0.0:{ports['api']}" in arguments
    assert f"--health-bind=0.0.0.0:{ports['health']}" in arguments


def test_w3_w4_rate_and_body_are_limited_before_the_syncer() -> None:
    objects = variant("served")
    (rule,) = route(objects)["routes"]
    assert [each["name"] for each in rule["middlewares"]] == ["pages-webhook-rate", "pages-webhook-body"]
    assert find(objects, "Middleware", "pages-webhook-rate")["spec"]["rateLimit"]["average"] == 100
    body = find(objects, "Middleware", "pages-webhook-body")["spec"]["buffering"]
    assert body["maxRequestBodyBytes"] == MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("values", "entry_point", "secret", "certificate"),
    [
        ({"platform": ISSUED}, "websecure", "pages-webhook", True),
        ({"platform": ISSUED, "webhooks": {"tls": {"secretName": "mine"}}}, "websecure", "mine", False),
        ({"platform": {"pagesDomain": "p.example.com", "tls": {"mode": "Off"}}}, "web", None, False),
        (
            {"platform": {"pagesDomain": "p.example.com", "tls": {"mode": "Wildcard", "wildcardSecretName": "wild"}}},
            "websecure",
            "wild",
            False,
        ),
        (
            {"platform": ISSUED | {"tls": {"mode": "Wildcard", "issuerRef": {"name": "dns"}}}},
            "websecure",
            "wildcard.pages.example.com",
            False,
        ),
        (
            {
                "platform": ISSUED | {"tls": {"mode": "Wildcard", "issuerRef": {"name": "dns"}}},
                "webhooks": {"host": "hooks.elsewhere.example"},
            },
            "websecure",
            "pages-webhook",
            True,
        ),
    ],
)
def test_the_webhooks_host_has_a_certificate_like_the_sites(
    values: dict[str, Any], entry_point: str, secret: str | None, certificate: bool
) -> None:
    objects = render(values)
    assert route(objects)["entryPoints"] == [entry_point]
    assert route(objects).get("tls", {}).get("secretName") == secret
    made = [each["spec"] for each in of_kind(objects, "Certificate")]
    assert bool(made) is certificate
    if certificate:
        assert made[0]["secretName"] == secret
        assert f"Host(`{made[0]['dnsNames'][0]}`)" in route(objects)["routes"][0]["match"]
        assert made[0]["issuerRef"]["name"] == values["platform"]["tls"]["issuerRef"]["name"]


def test_without_webhooks_nothing_of_the_syncer_is_public() -> None:
    objects = variant("without-webhooks")
    assert not of_kind(objects, "IngressRoute", "Middleware", "Certificate", "Secret")
    assert "pages-syncer" not in {each["metadata"]["name"] for each in of_kind(objects, "Service")}
    syncer = containers(pods(objects)["pages-syncer"])["syncer"]
    assert "--without-webhooks" in syncer["args"]
    assert "secret" not in str(syncer["args"])


def test_secrets_are_named_or_generated_and_never_inlined_in_a_pod() -> None:
    named = variant("with-everything")
    assert not of_kind(named, "Secret")
    (volume,) = (each for each in pods(named)["pages-syncer"]["spec"]["volumes"] if "secret" in each)
    assert volume["secret"]["secretName"] == "forges"
    assert [each["key"] for each in volume["secret"]["items"]] == ["webhook-secret"]
    assert "--token-key-file" not in str(containers(pods(named)["pages-syncer"])["syncer"]["args"])
    (made,) = of_kind(variant("served"), "Secret")
    assert set(made["data"]) == {"webhook-secret", "token-key"}
    assert all(len(value) >= 64 for value in made["data"].values())
    for pod in pods(variant("served")).values():
        assert not [value for value in made["data"].values() if value in str(pod)]


def test_a_webhooks_host_without_a_certificate_is_rejected() -> None:
    done = helm(
        *("template", "r", "deploy/helm/kup6s-pages", "--set", "webhooks.host=hooks.example.net"),
        *("--set", "platform.tls.mode=Individual"),
    )
    assert done.returncode == 1
    assert "set webhooks.tls.secretName, or platform.tls.issuerRef.name" in done.stderr
