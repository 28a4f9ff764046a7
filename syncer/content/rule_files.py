"""The two files of a published folder that are no pages but rules for the site: read, and not published."""

from dataclasses import replace

from pages import rule_syntax
from pages.api import SiteRules, StaticSite
from syncer.content import headers, redirects
from syncer.content.lines import MAX_BYTES, Lines
from syncer.content.served import Served
from syncer.content.tree import File, Listing
from syncer.volume.files import ReadBlobs

_SHOWN = 5
FILES = (redirects.FILE, headers.FILE)


def take_out(listing: Listing, blobs: ReadBlobs) -> tuple[Listing, SiteRules]:
    """The listing without the files and with the pages that they name for what is missing, and what else they say."""
    found = {file.path: file for file in listing.files if file.path in FILES}
    if not found:
        return listing, SiteRules()
    small = {file.oid for file in found.values() if file.size <= MAX_BYTES}
    texts = {oid: stream.read(size) for oid, size, stream in blobs(sorted(small))}
    lines = {path: Lines(path, texts.get(file.oid, b"")) for path, file in found.items()}
    for path, file in found.items():
        if file.size > MAX_BYTES:
            lines[path].note(1, f"the file has more than {MAX_BYTES >> 10} KiB; nothing of it is used")
    published = {file.path: file for file in listing.files if file.path not in FILES}
    said = redirects.Found()
    if redirects.FILE in lines:
        said = redirects.parse(lines[redirects.FILE], Served(published))
    made = SiteRules(
        redirects=said.redirects,
        headers=headers.parse(lines[headers.FILE]) if headers.FILE in lines else [],
        problems=[each for path in FILES if path in lines for each in lines[path].problems],
    )
    for name, page in said.fallbacks.items():
        published.setdefault(name, File(name, published[page].oid, published[page].size))
    return replace(listing, files=list(published.values())), made


def describe(site: StaticSite, found: SiteRules) -> str:
    """What is wrong with the site's rules, its own and those of its files: the first few, or nothing."""
    home = rule_syntax.Home(site.spec.host or "", site.spec.path_prefix, tuple(site.spec.aliases))
    said = [
        f"spec.redirects[{number}] leads to itself and is left out"
        for number, each in enumerate(site.spec.redirects)
        if rule_syntax.leads_to_itself(each.from_, each.to, home)
    ]
    said += [f"{each.file} line {each.line}: {each.message}" for each in found.problems]
    said += [
        f"{redirects.FILE}: {each.from_} leads to itself and is left out"
        for each in found.redirects
        if rule_syntax.leads_to_itself(each.from_, each.to, home)
    ]
    more = [f"and {len(said) - _SHOWN} more in status.rules.problems"] if len(said) > _SHOWN else []
    return "; ".join([*said[:_SHOWN], *more])
