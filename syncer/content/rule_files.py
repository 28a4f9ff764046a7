"""The two files of a published folder that are no pages but rules: compiled into one file of the release."""

import hashlib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import IO, NamedTuple

import msgspec

from pages.api import SiteRules, StaticSite
from pages.api.rules import MAX_PROBLEMS, Problem
from syncer.content.rules import compiled, headers, redirects
from syncer.content.rules.compile import FILES, compile_rules
from syncer.content.rules.findings import Findings, State
from syncer.content.rules.lines import MAX_BYTES
from syncer.content.tree import File, Listing, ReadBlobs

_SHOWN = 5
_PLACES = (redirects.SPEC, headers.SPEC, *FILES)


class WithRules(NamedTuple):
    """What is published, the rules among it, and how to read it; ``has_rules`` says whether any are written."""

    listing: Listing
    blobs: ReadBlobs
    rules: SiteRules
    has_rules: bool


def compile_into(listing: Listing, site: StaticSite, blobs: ReadBlobs) -> WithRules:
    """The listing with the compiled rules in the place of the files that say them."""
    files = {file.path: file for file in listing.files if file.path in FILES}
    published = [file for file in listing.files if file.path not in FILES]
    if not (files or site.spec.redirects or site.spec.headers):
        return WithRules(listing, blobs, SiteRules(problems=_misplaced(published)), has_rules=False)
    rules = compile_rules(_texts(files, blobs), site, [file.path for file in published])
    problems = [*_misplaced(published), *_problems(rules.findings)][:MAX_PROBLEMS]
    if rules.compiled:
        own = _Own.of(rules.compiled.dump())
        published.append(File(compiled.NAME, own.oid, len(own.content)))
        blobs = own.beside(blobs)
    return WithRules(replace(listing, files=published), blobs, _summary(rules.findings, problems), has_rules=True)


def _summary(findings: Findings, problems: list[Problem]) -> SiteRules:
    counts = findings.counts
    return SiteRules(
        live=counts[State.LIVE], no_effect=counts[State.NO_OP], rejected=counts[State.REFUSED], problems=problems
    )


def digest(site: StaticSite) -> str:
    """What the compiled rules of a commit depend on besides its files."""
    spec = site.spec
    said = [
        [each.model_dump(mode="json") for each in (*spec.redirects, *spec.headers)],
        [spec.host, spec.path_prefix, sorted(spec.aliases)],
        compiled.VERSION,
    ]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def describe(rules: SiteRules) -> str:
    """What is wrong with the site's rules, its own and those of its files: the first few, or nothing."""
    problems = [f"{each.place} {each.message}" for each in rules.problems]
    more = [f"and {len(problems) - _SHOWN} more in status.rules.problems"] if len(problems) > _SHOWN else []
    return "; ".join([*problems[:_SHOWN], *more])


class _Own(NamedTuple):
    """Content of ours, which git does not have, under the id that git would give it."""

    oid: str
    content: bytes

    @classmethod
    def of(cls, content: bytes) -> "_Own":
        oid = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        return cls(oid, content)

    def beside(self, blobs: ReadBlobs) -> ReadBlobs:
        """Reads it, too."""

        def read(oids: Sequence[str]) -> Iterator[tuple[str, int, IO[bytes]]]:
            others = blobs([oid for oid in oids if oid != self.oid])
            for oid in oids:
                yield (oid, len(self.content), io.BytesIO(self.content)) if oid == self.oid else next(others)

        return read


def _texts(files: Mapping[str, File], blobs: ReadBlobs) -> dict[str, bytes | None]:
    """Their contents; None of what is too large to be read."""
    small = sorted({file.oid for file in files.values() if file.size <= MAX_BYTES})
    contents = {oid: stream.read(size) for oid, size, stream in blobs(small)}
    return {path: contents.get(file.oid) for path, file in files.items()}


def _problems(findings: Findings) -> list[Problem]:
    return [each for place in _PLACES for each in findings.problems(place)]


def _misplaced(published: Sequence[File]) -> list[Problem]:
    """A folder of that name is published as any other, which is hardly what somebody wants."""
    folders = {file.path.partition("/")[0] for file in published if "/" in file.path}
    message = "this is a folder; rules are read from a file of this name"
    return [Problem(file=name, line=1, message=message) for name in FILES if name in folders]
