"""Trials: a change of plan keeps the one that runs, and starts none."""

from datetime import UTC, datetime, timedelta

import pytest

from tenor.subscriptions.errors import NotInTrial
from tenor.subscriptions.rules.trials import running_trial, trial_end_after_change

NOON = datetime(2026, 6, 8, 12, tzinfo=UTC)


def test_a_running_trial_keeps_its_end() -> None:
    assert trial_end_after_change(NOON, changed_at=NOON - timedelta(days=3)) == NOON
    assert trial_end_after_change(NOON, changed_at=NOON - timedelta(seconds=1)) == NOON


def test_a_trial_that_is_over_does_not_begin_again() -> None:
    assert trial_end_after_change(NOON, changed_at=NOON) is None
    assert trial_end_after_change(NOON, changed_at=NOON + timedelta(days=1)) is None


def test_without_a_trial_none_begins() -> None:
    assert trial_end_after_change(None, changed_at=NOON) is None


def test_a_trial_runs_until_before_its_end() -> None:
    assert running_trial(NOON, at=NOON - timedelta(microseconds=1)) == NOON
    with pytest.raises(NotInTrial, match="it ended at 2026-06-08T12:00:00Z"):
        running_trial(NOON, at=NOON)
    with pytest.raises(NotInTrial, match="no trial"):
        running_trial(None, at=NOON)
