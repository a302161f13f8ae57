"""Answer cases of kind scenario: time passes for one simulated tenant, documents come out, facts are read."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import localcontext
from typing import Any, Final

from tenor.conformance.cases import Case
from tenor.conformance.scenario import rate_runs
from tenor.conformance.scenario.facts import FactWatcher
from tenor.conformance.scenario.grants import play_alone
from tenor.conformance.scenario.playing import play
from tenor.conformance.scenario.reading import read_story
from tenor.conformance.scenario.terms import terms_of
from tenor.kernel.money import EXACT

__all__ = ["answer"]

_SOME_DAY: Final = datetime(2020, 1, 1, tzinfo=UTC)
"""When a scenario begins whose source gives no date."""


def answer(case: Case) -> Mapping[str, Any]:
    """Play a scenario and return, as `unmet`, one sentence for each expected fact that was not met.

    One without customers makes no documents: it is about one charge that is rated in runs, or about a wallet alone.

    Raises:
        NotRunnable: the scenario asks for something that is not built yet.
    """
    if "customers" not in case.body:
        return rate_runs.answer(case) if "plans" in case.body else play_alone(case)
    story = read_story(case)
    opened_at = next((step.at for step in story.steps if step.at is not None), _SOME_DAY)
    watcher = FactWatcher(case.expect, is_complete=case.body.get("complete", False))
    with localcontext(EXACT):
        watcher.finish(play(story, terms_of(case, opened_at), watcher))
    return {"unmet": watcher.unmet}
