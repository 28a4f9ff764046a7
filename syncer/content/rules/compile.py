"""Rules as people write them become what nginx evaluates: read, checked against the release's files, bounded. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import msgspec

from pages.api import StaticSite
from syncer.content.rules import bounds, conflicts, evaluate, headers, lines, redirects
from syncer.content.rules.compiled import MUST_EXIST, PAGES_ONLY, Compiled, Entry, entry_of, parts
from syncer.content.rules.findings import Findings, Place
from syncer.content.rules.grammar import Pattern, Target
from syncer.content.rules.headers import Block
from syncer.content.rules.hosts import Hosts
from syncer.content.rules.redirects import REDIRECTS, Draft, Redirect
from syncer.content.rules.served import PAGE, Served

FILES = (redirects.FILE, headers.FILE)
# What a placeholder may stand for, to see whether a rule may lead to itself.
_EXAMPLES = ("", "x", "x/x", "x/x/x")


@dataclass
class Rules:
    """What nginx evaluates, and what to say about each line."""

    compiled: Compiled = field(default_factory=Compiled)
    findings: Findings = field(default_factory=Findings)


def compile_rules(
    texts: Mapping[str, bytes | None], site: StaticSite | None, paths: Collection[str], hosts: Hosts | None = None
) -> Rules:
    """The rules of a site: ``texts`` are its files by name, ``paths`` those that are published.

    None is the text of a file that is too large.

    ``hosts`` are the site's, unless given. Without a site every host counts as its own.
    """
    rules, served = Rules(), Served(paths)
    hosts = hosts or (Hosts.of(site) if site else None)
    reader = redirects.Reader(hosts, served, rules.findings)
    written = [*_spec_redirects(site, reader)]
    if redirects.FILE in texts:
        written += redirects.parse(lines.read(redirects.FILE, texts[redirects.FILE], rules.findings), reader)
    blocks: list[Block] = []
    if headers.FILE in texts:
        blocks += headers.parse(lines.read(headers.FILE, texts[headers.FILE], rules.findings), hosts, rules.findings)
    blocks += _spec_headers(site, hosts, rules.findings)
    _add_headers(rules, bounds.blocks(blocks, rules.findings))
    kept = bounds.redirects(conflicts.unhidden(written, rules.findings), rules.findings)
    _add_redirects(rules, kept, served, hosts)
    return rules


def _spec_redirects(site: StaticSite | None, reader: redirects.Reader) -> Iterator[Redirect]:
    """Those of the StaticSite come before the files of the release."""
    for number, each in enumerate(site.spec.redirects if site else ()):
        from_, *params = each.from_.split() or [""]
        draft = Draft(from_, params, each.to.strip(), each.status, each.status in REDIRECTS)
        yield from reader.read(Place(redirects.SPEC, number), draft)


def _spec_headers(site: StaticSite | None, hosts: Hosts | None, findings: Findings) -> list[Block]:
    reader = headers.Reader(hosts, findings, over=True)
    for number, each in enumerate(site.spec.headers if site else ()):
        place = Place(headers.SPEC, number)
        reader.path(place, each.for_.strip())
        reader.values(place, each.values)
    return reader.finish()


def _add_headers(rules: Rules, blocks: Iterable[Block]) -> None:
    for block in blocks:
        ops = [[op.name] if op.value is None else [op.name, op.value] for op in block.ops]
        entry = [block.source.host, int(block.over), ops, str(block.place)]
        rules.compiled.headers.add(block.source.pattern, entry)


def _add_redirects(rules: Rules, kept: Sequence[Redirect], served: Served, hosts: Hosts | None) -> None:
    """Those that fit, without those that close a circle."""
    fitting, bytes_left = [], bounds.MAX_COMPILED_BYTES - len(rules.compiled.dump())
    for rule in kept:
        entry = _entry(rule, served, hosts)
        bytes_left -= len(msgspec.json.encode([rule.source.pattern, entry]))
        if bytes_left < 0:
            break
        fitting.append((rule, entry))
    if left_out := kept[len(fitting) :]:
        message = (
            f"compiled, the rules have more than {bounds.MAX_COMPILED_BYTES >> 20} MiB; {len(left_out):,} are left out"
        )
        rules.findings.leave_out(left_out[0].place, len(left_out), message)
    draft = Compiled()
    for rule, entry in fitting:
        draft.redirects.add(rule.source.pattern, entry)
    circles = set(conflicts.circles(draft, [rule.source.pattern for rule, _ in fitting], served))
    for number, (rule, entry) in enumerate(fitting, 1):
        if number in circles:
            rules.findings.refuse(rule.place, "it closes a circle of redirects, and is left out")
            continue
        rules.compiled.redirects.add(rule.source.pattern, entry)
        rules.compiled.forced = rules.compiled.forced or rule.forced
        if rule.forced or not rule.source.pattern.is_exact or not served.file(rule.source.pattern.prefix or "/"):
            rules.findings.live(rule.place)  # of others a file comes first, which is said already


def _entry(rule: Redirect, served: Served, hosts: Hosts | None) -> Entry:
    target = rule.target
    origin = "" if rule.status not in REDIRECTS else target.origin
    params = [list(each) for each in rule.params]
    return [
        rule.status,
        int(rule.forced),
        rule.source.host,
        params,
        _check(rule, served, hosts),
        origin,
        parts(target.path),
        parts(target.query),
        parts(target.fragment),
        str(rule.place),
    ]


def _check(rule: Redirect, served: Served, hosts: Hosts | None) -> int:
    pattern, target = rule.source.pattern, rule.target
    if rule.status in REDIRECTS:
        is_own = not target.origin or (hosts is not None and target.host in hosts)
        grows = any(isinstance(each, int) for each in target.path)  # else the second time it leads to itself
        return MUST_EXIST if is_own and grows and not _leaves(rule, hosts) and _may_repeat(pattern, target) else 0
    if rule.status == HTTPStatus.OK and not pattern.is_exact and target.is_literal:
        file = served.file(evaluate.decoded("".join(map(str, target.path))))
        return PAGES_ONLY if file and file.endswith(PAGE) else 0
    return 0


def _leaves(rule: Redirect, hosts: Hosts | None) -> bool:
    """Whether a rule for an alias leads to the domain, where the rule does not match again."""
    source, target = rule.source.host, rule.target.host
    return hosts is not None and source in hosts.aliases and target in {"", hosts.domain}


def _may_repeat(pattern: Pattern, target: Target) -> bool:
    """Whether what a rule leads to may match it again."""
    entry = entry_of(1, pattern)
    for example in _EXAMPLES:
        path = evaluate.decoded("".join(example if isinstance(each, int) else each for each in target.path))
        if evaluate.match_pattern(entry, path.rstrip("/").split("/")[1:], path) is not None:
            return True
    return False
