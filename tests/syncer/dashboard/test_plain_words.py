"""There is a plain sentence for every reason that a site's condition may have."""

import pytest

from pages.reasons import GROUPS
from syncer.dashboard import plain_words

REASONS = {reason.name for group in GROUPS if group.kind == "StaticSite" for reason in group.reasons}


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_every_reason_has_a_sentence_without_markup(reason: str) -> None:
    said = plain_words.of(reason)
    assert said.means[0].isupper()
    assert said.means.endswith(".")
    for text in said:
        assert not {"`", "["} & set(text)


def test_who_acts_is_said() -> None:
    assert plain_words.of("DomainNotAllowed").todo.startswith("Ask the administrator: add the domain to")
    assert plain_words.of("NameConflict").todo == "Give the site another name."
    assert plain_words.of("Synced").todo == ""


def test_every_condition_has_a_title() -> None:
    assert plain_words.TITLES.keys() == {group.condition for group in GROUPS if group.kind == "StaticSite"}


def test_of_a_reason_that_is_not_known_nothing_is_made_up() -> None:
    assert plain_words.of("SomethingNew") == ("", "Read the message; else ask the administrator.")
