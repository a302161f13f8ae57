"""A life of a company by lot, audited on its way. `python -m tools.audit_lives` lives many, and longer ones."""

from tests.support.audited_deeds import DEEDS
from tests.support.audited_lives import Story, audited
from tests.support.company import Company

STEPS = 40


def test_every_step_leaves_sound_books(acme: Company) -> None:
    story = Story(acme, seed=11)

    assert audited(story, DEEDS, steps=STEPS, every=8) == []

    assert sum(count for name, count in story.made.items() if ": " not in name) > STEPS / 2
