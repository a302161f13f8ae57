"""Extend the trial of a subscription."""

from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions.changing import Opened, open_for_change
from tenor.subscriptions.errors import TrialRefused
from tenor.subscriptions.model import Recording, Subscription, TrialChanged
from tenor.subscriptions.rules.anchors import reanchored
from tenor.subscriptions.rules.standing import agreed_end
from tenor.subscriptions.rules.timeline import phase_at
from tenor.subscriptions.rules.trials import running_trial
from tenor.subscriptions.running import new_item_ids, record_and_replan


def extend_trial(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    ends_at: datetime,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
) -> Subscription:
    """Let the trial that runs end at `ends_at`, later than so far; return how the subscription then stands.

    Billing periods that were to count from the end of the trial count from its new end.

    Raises:
        SubscriptionNotFound, VersionConflict: see `tenor.subscriptions.changing`.
        NotInTrial: it is over, or there is none.
        TrialRefused: the instant is not later, or not before the end of the agreed term.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    at = max(now, opened.subscription.starts_at)
    former = running_trial(opened.subscription.trial_ends_at, at=at)
    ends_at = parse_instant(ends_at, name="ends_at")
    term_ends_at = agreed_end(opened.journal)
    if ends_at <= former or (term_ends_at is not None and ends_at >= term_ends_at):
        term = "" if term_ends_at is None else f" and before the end of the term, {format_instant(term_ends_at)}"
        raise TrialRefused(
            f"a trial is extended to an instant after its end, {format_instant(former)}{term}; not to"
            f" {format_instant(ends_at)}"
        )
    facts = trial_changed(opened, ends_at, at=at, now=now)
    return record_and_replan(uow, opened, [(facts, at)], Recording(now, actor, reason))


def trial_changed(opened: Opened, ends_at: datetime, *, at: datetime, now: datetime) -> TrialChanged:
    """Return the entry, effective at `at`, that moves the end of the trial and the billing dates that hang on it."""
    former = running_trial(opened.subscription.trial_ends_at, at=at)
    running = [item for item in opened.timeline.items if phase_at(item, at)]
    return TrialChanged(
        ends_at, reanchored(running, former=former, anchor_at=ends_at, ids=new_item_ids(opened, now=now))
    )
