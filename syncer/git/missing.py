"""Errors for a branch, tag or commit that a repository lacks: what it has instead, and what to do."""

import re
from collections.abc import Sequence

from syncer.errors import BranchNotFound, EmptyRepo, RevisionNotFound

NO_COMMITS = "the repository has no commits yet; push one"
TOO_MANY = "the list of branches and tags exceeds 1 MiB; delete some, or check spec.repo"
_ABBREVIATED = re.compile(r"[0-9a-f]{7,39}")
_MOST_NAMED = 8


def branch(name: str, existing: Sequence[str] | None) -> BranchNotFound | EmptyRepo:
    """``existing`` are the branches of the repository, None where the list is too long."""
    if existing is not None and not existing:
        return EmptyRepo(NO_COMMITS)
    has = f": {_list(existing)}" if existing else ""
    return BranchNotFound(f"the repository has no branch {name!r}; push it, or set spec.branch to one it has{has}")


def tag(name: str, existing: Sequence[str] | None) -> RevisionNotFound:
    """``existing`` are the tags of the repository, newest first, None where the list is too long."""
    if existing:
        has = f"one it has ({_list(existing)})"
    else:
        has = "one it has" if existing is None else "a commit (it has no tags)"
    hint = "; a commit needs all its digits" if _ABBREVIATED.fullmatch(name) else ""
    return RevisionNotFound(
        f"the repository has no tag {name!r}; push it, set spec.revision to {has}, or remove spec.revision "
        f"to follow the branch{hint}"
    )


def commit(oid: str) -> RevisionNotFound:
    """The error for a commit that the server does not serve."""
    return RevisionNotFound(
        f"the git server has no commit {oid}, or does not serve it by its id; check spec.revision, "
        "or push a tag for the commit and set spec.revision to the tag"
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
