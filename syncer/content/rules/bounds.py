"""How many rules a site may have. What is left out is counted, and said once. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence

from syncer.content.rules.findings import Findings
from syncer.content.rules.headers import Block
from syncer.content.rules.redirects import Redirect

MAX_REDIRECTS = 10_000
MAX_PATTERNS = 500
MAX_PATHS = 1_000
MAX_COMPILED_BYTES = 8 << 20
# What one answer may get: browsers and proxies take no more.
MAX_ANSWER_HEADERS = 500
MAX_ANSWER_BYTES = 32 << 10


def redirects(rules: Sequence[Redirect], findings: Findings) -> list[Redirect]:
    """Those that are within the limits; a rule with a host or with query parameters counts as a pattern."""
    patterns = 0
    kept: list[Redirect] = []
    too_many: list[Redirect] = []
    too_many_patterns: list[Redirect] = []
    for rule in rules:
        if len(kept) >= MAX_REDIRECTS:
            too_many.append(rule)
        elif not rule.is_plain and patterns >= MAX_PATTERNS:
            too_many_patterns.append(rule)
        else:
            patterns += not rule.is_plain
            kept.append(rule)
    for left_out, limit, what in (
        (too_many, MAX_REDIRECTS, "redirects"),
        (too_many_patterns, MAX_PATTERNS, "redirects with ':name', '*', a host or a query"),
    ):
        if left_out:
            message = f"a site has at most {limit:,} {what}; {len(left_out):,} from here on are left out"
            findings.leave_out(left_out[0].place, len(left_out), message)
    return kept


def blocks(all_blocks: Sequence[Block], findings: Findings) -> list[Block]:
    """Those that are within the limits."""
    kept = list(all_blocks[:MAX_PATHS])
    if left_out := all_blocks[MAX_PATHS:]:
        message = f"a site has headers for at most {MAX_PATHS:,} paths; {len(left_out):,} from here on are left out"
        findings.leave_out(left_out[0].place, len(left_out), message)
    return list(_answerable(kept, findings))


def _answerable(kept: Sequence[Block], findings: Findings) -> Iterator[Block]:
    """Those that no answer gets too many of: it gets at most what its path and the folders above it have."""
    counts: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    left_out = []
    for block in kept:
        prefix = block.source.pattern.prefix
        near = {prefix, *(each for each in counts if _is_near(each, prefix))}
        if any(
            sum(counts[each] for each in _above(path)) + len(block.ops) > MAX_ANSWER_HEADERS
            or sum(sizes[each] for each in _above(path)) + block.size > MAX_ANSWER_BYTES
            for path in near
        ):
            left_out.append(block)
            continue
        counts[prefix] += len(block.ops)
        sizes[prefix] += block.size
        yield block
    if left_out:
        message = (
            f"an answer gets at most {MAX_ANSWER_HEADERS} headers of {MAX_ANSWER_BYTES >> 10} KiB; "
            f"those of {len(left_out):,} paths, from here on, are left out"
        )
        findings.leave_out(left_out[0].place, len(left_out), message)


def _is_near(path: str, prefix: str) -> bool:
    return path.startswith(f"{prefix}/")


def _above(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""
