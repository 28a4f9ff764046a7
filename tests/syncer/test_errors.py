"""How soon a failed site is looked at again."""

import pytest

from syncer import errors


@pytest.mark.parametrize(
    "error",
    [
        errors.BranchNotFound,
        errors.EmptyRepo,
        errors.NotADirectory,
        errors.NothingToPublish,
        errors.RevisionNotFound,
        errors.SubpathNotFound,
    ],
)
def test_errors_that_a_push_fixes_are_retried_within_five_minutes(error: type[errors.SyncError]) -> None:
    """However often it has failed: the server is well."""
    assert error.retry_within_seconds == 300
