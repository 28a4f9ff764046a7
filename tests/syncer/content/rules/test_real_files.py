"""Generated files in the style of large real ones are accepted whole, and each of their rules answers."""

from pages.api import StaticSite
from syncer.content.rules.compile import Rules, compile_rules
from syncer.content.rules.evaluate import Request, evaluate
from syncer.content.rules.findings import State
from syncer.content.rules.served import Served
from tests.support.objects import parsed_site

FILES = ["index.html", "app.js", "de/data.json", "assets/app.css"]


def compiled(redirects: str = "", headers: str = "", site: StaticSite | None = None) -> Rules:
    texts = {"_redirects": redirects.encode(), "_headers": headers.encode()}
    return compile_rules(texts, site or parsed_site(), FILES)


def location(rules: Rules, path: str, host: str = "", home: str = "") -> str:
    return evaluate(rules.compiled, Served(FILES), Request(path, None, host, home=home)).location


def header(rules: Rules, path: str, name: str) -> str | None:
    return evaluate(rules.compiled, Served(FILES), Request(path)).headers.get(name)


def rejected(rules: Rules) -> dict[str, str]:
    return {str(each.place): each.message for each in rules.findings if each.state is State.REFUSED}


def test_450_exact_forced_redirects() -> None:
    lines = [f"/docs/concepts/topic-{n}/     /docs/reference/topic-{n}/ 301!" for n in range(450)]
    rules = compiled("# moved pages\n\n" + "\n".join(lines))
    assert rules.findings.counts == {State.LIVE: 450}
    assert all(location(rules, f"/docs/concepts/topic-{n}/") == f"/docs/reference/topic-{n}/" for n in range(450))


def test_2000_exact_redirects_of_200_kilobytes() -> None:
    part = "configuration-of-the-platform"
    text = "".join(f"/products/{part}/page-{n:04} /docs/{part}/reference/page-{n:04}/ 301\n" for n in range(2000))
    assert len(text) > 190_000
    rules = compiled(text)
    assert rules.findings.counts == {State.LIVE: 2000}
    assert location(rules, f"/products/{part}/page-1999/") == f"/docs/{part}/reference/page-1999/"


def test_200_redirects_with_aliases_patterns_and_fragments() -> None:
    site = parsed_site(domain="www.example.com", aliases=["example.com", "docs.example.org"])
    lines = ["https://example.com/* https://www.example.com/:splat 301!", "# versions"]
    lines += [f"https://docs.example.org/v{n}/* https://www.example.com/v{n}/docs/:splat 302!" for n in range(90)]
    lines += [f"/v{n}/release-* /releases/v{n}/:splat" for n in range(90)]
    lines += [f"/install#step-{n} /install/step-{n}/" for n in range(19)]
    rules = compiled("\n".join(lines), site=site)
    assert rejected(rules).keys() == {f"_redirects:{n}" for n in range(183, 202)}
    assert all("never reach a server" in message for message in rejected(rules).values())
    assert rules.findings.counts[State.LIVE] + rules.findings.counts[State.NO_OP] == 181
    home = "https://www.example.com"
    assert location(rules, "/v7/a/b", "docs.example.org", home) == "https://www.example.com/v7/docs/a/b"
    assert location(rules, "/v7/release-1.2", "www.example.com") == "/releases/v7/1.2"
    assert location(rules, "/any", "example.com", home) == "https://www.example.com/any"


def test_headers_of_64_paths_with_wildcards_and_without_indentation() -> None:
    text = "/*.js\nCache-Control: max-age=600\n/*/data.json\n\tAccess-Control-Allow-Origin: *\n  /assets/*\nX-A: 1\n"
    text += "".join(f"/page-{n}/*\n  X-Robots-Tag: noindex\n  Link: </{n}.css>; rel=preload\n" for n in range(61))
    rules = compiled(headers=text)
    assert rejected(rules) == {}
    assert len(rules.compiled.headers.entries) == 64
    assert header(rules, "/app.js", "Cache-Control") == "max-age=600"
    assert header(rules, "/de/data.json", "Access-Control-Allow-Origin") == "*"
    assert header(rules, "/assets/app.css", "X-A") == "1"
    assert header(rules, "/page-60/x", "Link") == "</60.css>; rel=preload"
