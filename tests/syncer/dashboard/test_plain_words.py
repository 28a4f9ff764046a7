"""There is a plain sentence for every reason that a condition of ours may have."""

import inspect
import re
from pathlib import Path

from syncer import errors
from syncer.dashboard import plain_words

ROOT = Path(__file__).parents[3]


def test_each_error_of_a_sync_is_explained_with_what_to_do() -> None:
    reasons = {
        each.reason
        for _, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, errors.SyncError) and each is not errors.SiteDeleted
    }
    assert {reason for reason in reasons if not plain_words.of(reason).todo} == set()
    assert reasons <= plain_words.known()


def test_each_reason_that_the_architecture_tells_of_is_explained() -> None:
    text = (ROOT / "docs/explanation/architecture.md").read_text()
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text, re.MULTILINE)
    reasons = {reason for row in table for reason in re.findall(r"`([A-Z]\w+)`", row)}
    assert len(reasons) > 5
    assert reasons <= plain_words.known()


def test_of_a_reason_that_is_not_known_nothing_is_made_up() -> None:
    assert plain_words.of("SomethingNew") == ("", "Read the message; else ask the administrator.")
