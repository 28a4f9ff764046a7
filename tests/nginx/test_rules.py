"""Redirects and headers: one table of cases, asked of the evaluator and of the real nginx, and random rules of both."""

import hashlib
import string
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pages.api import StaticSite
from syncer.content.rules import compiled, evaluate
from syncer.content.rules.compile import Rules, compile_rules
from syncer.content.rules.evaluate import Request
from syncer.content.rules.findings import State
from syncer.content.rules.hosts import Hosts
from syncer.content.rules.served import Served
from tests.nginx.conftest import Sites
from tests.support.raw_http import Answer

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[1] / "cases" / "rules.yaml").read_text())
SITE = {"apiVersion": "pages.kup6s.com/v1beta1", "kind": "StaticSite", "metadata": {"namespace": "r", "name": "x"}}


def compiled_case(case: dict[str, Any]) -> Rules:
    spec = {"repo": "https://forge.example.com/r/x.git", **case.get("spec", {})}
    names = {"domain": "domain", "aliases": "aliases", "path_prefix": "pathPrefix"}
    spec |= {field: case[key] for key, field in names.items() if key in case}
    encoding = case.get("encoding", "utf-8")
    texts = {f"_{name}": case[name].encode(encoding) for name in ("redirects", "headers") if name in case}
    if each := case.get("redirects_each"):
        lines = [each["line"].format(n=number) for number in range(each["count"])]
        lines = [each[end] for end in ("first",) if end in each] + lines + [each["last"]]
        texts["_redirects"] = "\n".join(lines).encode()
    return compile_rules(texts, StaticSite.model_validate({**SITE, "spec": spec}), files_of(case))


def files_of(case: dict[str, Any]) -> list[str]:
    return list(case.get("files", ["index.html"]))


def release(sites: Sites, site: str, files: list[str], rules: compiled.Compiled) -> None:
    disk = {}
    for path in files:
        folder, slash, name = path.rpartition("/")
        disk[f"{folder}{slash}{'.own-' if name.endswith('.gz') else ''}{name}"] = f"content of {path}"
    sites.release(site, disk | {compiled.NAME: rules.dump().decode()})


def asked(sites: Sites, site: str, request: Request) -> Answer:
    """The answer of nginx to what Traefik would make of the request."""
    headers = {"Host": request.host or "www.example.com", "X_Pages_Prefix": request.path_prefix}
    headers |= {"X_Pages_Home": request.home} if request.home else {}
    headers |= {"Accept": request.accept} if request.accept else {}
    query = "" if request.query is None else f"?{request.query}"
    return sites.ask(f"/{site}{request.path}{query}", request.method, **headers)


def differences(expected: evaluate.Answer, answer: Answer) -> list[str]:
    """What nginx answered otherwise than the evaluator."""
    found = []
    if answer.status != expected.status:
        found.append(f"status {answer.status}, not {expected.status}")
    if answer.headers.get("location", "") != expected.location:
        found.append(f"location {answer.headers.get('location')}, not {expected.location}")
    if expected.file and answer.body and answer.text != f"content of {expected.file}":
        found.append(f"content {answer.text!r}, not that of {expected.file}")
    for name, value in expected.headers.items():
        actual = answer.headers.get(name.lower(), "")
        if actual != value and not (name.lower() == "content-type" and actual.startswith(value)):
            found.append(f"{name}: {actual!r}, not {value!r}")
    platform = {"cache-control", "x-content-type-options", "referrer-policy", "x-a", "x-b", "cdn-cache-control"}
    expected_names = {name.lower() for name in expected.headers}
    return [
        *found,
        *(f"{name}: {answer.headers[name]}" for name in platform - expected_names if name in answer.headers),
    ]


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_is_reported_as_the_table_says(case: dict[str, Any]) -> None:
    findings = list(compiled_case(case).findings)
    problems = {str(each.place): each.message for each in findings if each.state is State.REFUSED or each.message}
    no_ops = {str(each.place) for each in findings if each.state is State.NO_OP}
    problems = {place: message for place, message in problems.items() if place not in no_ops}
    assert problems.keys() == case.get("problems", {}).keys(), problems
    for place, part in case.get("problems", {}).items():
        assert part in problems[place]
    assert no_ops == set(case.get("no_ops", []))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_is_answered_as_the_table_says(sites: Sites, case: dict[str, Any]) -> None:
    rules, files = compiled_case(case).compiled, files_of(case)
    site = f"cases/{case['id'].lower()}"
    release(sites, site, files, rules)
    for ask in case.get("asks", []):
        request = Request(
            ask["path"],
            ask.get("query"),
            ask.get("host", case.get("domain", "")),
            ask.get("method", "GET"),
            ask.get("prefix", ""),
            ask.get("home", ""),
        )
        expected = evaluate.evaluate(rules, Served(files), request)
        assert expected.status == ask.get("status", 200), (ask, expected)
        assert expected.location == ask.get("location", ""), ask
        if "file" in ask or expected.status == 200:
            path = ask["path"].lstrip("/")
            default = f"{path}index.html" if not path or path.endswith("/") else path
            assert expected.file == ask.get("file", default if default in files else expected.file), ask
        answer = asked(sites, site, request)
        assert differences(expected, answer) == [], ask
        for name, value in ask.get("headers", {}).items():
            assert answer.headers.get(name) == value, (ask, name)


NAMES = ["a", "b", "docs", "x.js", "x.html", "v1.2", "é", "a b", "page", "data.json", "release-1", "p%q", "_q?", "o.gz"]
PAGES = [*NAMES, "index.html", "404.html", "200.html"]
folders = st.lists(st.sampled_from(NAMES), max_size=2)
paths = st.builds(lambda folder, name: "/".join([*folder, name]), folders, st.sampled_from(PAGES))
segments = st.one_of(
    st.sampled_from(PAGES).map(quote), st.sampled_from([":n0", ":n1", "*", "release-*", "*.js", "a*b", "*l"])
)
hosts = st.sampled_from(["", "", "", "", "https://www.example.com", "//old.example.com"])
sources = st.builds(lambda host, parts: f"{host}/{'/'.join(parts)}", hosts, st.lists(segments, max_size=4))
captures = st.sampled_from([":splat", ":n0", ":n1", ":q", ":zz"])
targets = st.builds(
    lambda origin, parts, query: f"{origin}/{'/'.join(parts)}{query}",
    st.sampled_from(["", "", "", "https://x.example.net", "https://www.example.com", "HTTP://old.example.com:81"]),
    st.lists(st.sampled_from(PAGES).map(quote) | captures, max_size=3),
    st.just("") | captures.map(lambda name: f"?u={name}") | captures.map(lambda name: f"#{name}"),
)
statuses = st.sampled_from(["301", "302", "303", "307", "308", "200", "404", "410", "301!", "200!", "404!"])
params = st.sampled_from(["", "", "", " q=:q", " z=1"])
redirect_lines = st.builds(
    lambda *words: f"{words[0]}{words[1]} {words[2]} {words[3]}", sources, params, targets, statuses
)
header_lines = sources | st.sampled_from(
    [
        *("X-A: 1", "x-a: 2", "X-B: a 'b'; c", "! X-A", "! Cache-Control", "! Referrer-Policy"),
        *("Referrer-Policy: origin", "Cache-Control: max-age=5", "Content-Type: text/plain", "CDN-Cache-Control: z"),
        "X-Content-Type-Options: no",
    ]
)
raw_paths = st.builds(
    lambda path, ending: f"/{quote(path)}".removesuffix(ending[0]) + ending[1],
    paths,
    st.sampled_from([("", ""), (".html", ""), ("", "/"), ("", "//"), ("index.html", "")]),
)
requests = st.builds(
    lambda path, query, host, prefix, accept: Request(
        path,
        query,
        host,
        path_prefix=prefix,
        accept=accept,
        home="https://www.example.com/docs" if host == "old.example.com" else "",
    ),
    raw_paths,
    st.sampled_from([None, None, "", "x=1", "q=a%2Fb&z=1", "q=a+b", "q=%ff%0d%0a"]),
    st.sampled_from(["www.example.com", "www.example.com", "other.example.com", "old.example.com"]),
    st.sampled_from(["", "/docs"]),
    st.sampled_from(["", "text/html", "*/*", "image/png"]),
)


def tree(candidates: list[str]) -> list[str]:
    """The files that can be together: none is a folder of another."""
    kept: list[str] = []
    for path in candidates:
        above = {path[:number] for number, char in enumerate(path) if char == "/"}
        if path not in kept and not above & set(kept) and not any(each.startswith(f"{path}/") for each in kept):
            kept.append(path)
    return kept


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    files=st.lists(paths, min_size=1, max_size=8).map(tree),
    redirects=st.lists(redirect_lines, max_size=8),
    headers=st.lists(header_lines, max_size=12),
    visits=st.lists(requests, min_size=5, max_size=20),
)
@example(["index.html"], ["/* /:splat/x 301!"], [], [Request("//evil.example/%5c"), Request("/%0d%0aX:y")])
def test_nginx_answers_what_the_evaluator_says(
    sites: Sites, files: list[str], redirects: list[str], headers: list[str], visits: list[Request]
) -> None:
    texts = {"_redirects": "\n".join(redirects).encode(), "_headers": "\n".join(headers).encode()}
    own = Hosts("www.example.com", frozenset({"old.example.com"}))
    rules = compile_rules(texts, None, files, own).compiled
    digest = hashlib.sha256(repr((files, redirects, headers)).encode()).hexdigest()[:40]
    site = f"random/s{digest}"
    release(sites, site, files, rules)
    for request in visits:
        answer = asked(sites, site, request)
        if answer.status == 400:
            continue
        expected = evaluate.evaluate(rules, Served(files), request)
        assert differences(expected, answer) == [], (request, expected)
        location = answer.headers.get("location", "/")
        assert not location.startswith(("//", "/\\"))
        assert set(location) <= set(string.printable) - set(string.whitespace)
