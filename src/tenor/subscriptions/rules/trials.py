"""Trials: whether one runs, and what a change of plan does to it."""

from datetime import datetime

from tenor.kernel.period import format_instant
from tenor.subscriptions.errors import NotInTrial


def trial_end_after_change(trial_ends_at: datetime | None, *, changed_at: datetime) -> datetime | None:
    """Return when the trial ends after a change of plan at `changed_at`; None: no trial, charged from the change.

    A trial that runs keeps its end, whatever trial the new plan offers: a customer who changes plans on the last
    day gets no second trial. Where none runs, because there never was one or it is over, none begins.
    """
    runs = trial_ends_at is not None and changed_at < trial_ends_at
    return trial_ends_at if runs else None


def running_trial(trial_ends_at: datetime | None, *, at: datetime) -> datetime:
    """Return when the trial that runs at `at`, an instant of the life, ends.

    Raises:
        NotInTrial: none runs then.
    """
    if trial_ends_at is None:
        raise NotInTrial("the subscription has no trial")
    if at >= trial_ends_at:
        raise NotInTrial(f"at {format_instant(at)} no trial runs: it ended at {format_instant(trial_ends_at)}")
    return trial_ends_at
