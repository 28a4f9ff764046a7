"""What to say where a repository lacks what a site names: which there are, and what to do."""

import re
from collections.abc import Sequence

from syncer.errors import BranchNotFound, EmptyRepo, RevisionNotFound

NO_COMMITS = "the repository has no commits yet; push a first one"
TOO_MANY = "the git server names more branches and tags than are read (1 MiB); delete some, or check spec.repo"
_ABBREVIATED = re.compile(r"[0-9a-f]{7,39}")
_NAMED = 8


def branch(name: str, found: Sequence[str] | None) -> BranchNotFound | EmptyRepo:
    """``found`` are the branches that there are, if that is known."""
    if found is not None and not found:
        return EmptyRepo(NO_COMMITS)
    has = f": {_named(found)}" if found else ""
    return BranchNotFound(f"the repository has no branch {name!r}; push it, or set spec.branch to one it has{has}")


def tag(name: str, found: Sequence[str] | None) -> RevisionNotFound:
    """``found`` are the tags that there are, the newest first, if that is known."""
    if found:
        has = f"one it has ({_named(found)})"
    else:
        has = "one it has" if found is None else "a commit, for it has no tags"
    hint = "; a commit is written with all its digits" if _ABBREVIATED.fullmatch(name) else ""
    return RevisionNotFound(
        f"the repository has no tag {name!r}; push it, set spec.revision to {has}, or remove spec.revision "
        f"to follow the branch{hint}"
    )


def commit(oid: str) -> RevisionNotFound:
    """A commit, by its id."""
    return RevisionNotFound(
        f"the git server has no commit {oid}, or does not give it out by its id; check spec.revision, "
        "or push a tag for the commit and name that"
    )


def _named(found: Sequence[str]) -> str:
    """The first few."""
    return ", ".join(found[:_NAMED]) + (", …" if len(found) > _NAMED else "")
