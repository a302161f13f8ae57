"""Take back an entry of a subscription's journal."""

from collections.abc import Sequence
from datetime import datetime

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.period import format_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import undo_redemption
from tenor.subscriptions.changing import open_for_change
from tenor.subscriptions.errors import UndoRefused
from tenor.subscriptions.model import Cancelled, Change, DiscountApplied, Recording, Subscribed, Subscription, Undone
from tenor.subscriptions.rules.standing import standing, taken_back_with
from tenor.subscriptions.running import record_and_replan


def undo_change(
    uow: UnitOfWork,
    subscription_id: SubscriptionId,
    *,
    entry: int,
    version: int,
    now: datetime,
    actor: str,
    reason: str,
    is_backdated: bool = False,
) -> Subscription:
    """Let the entry of the journal with version `entry` say nothing any more; return how the subscription then stands.

    The end of a pause goes with the pause, the redemption of a coupon with its discount. An entry that has taken
    effect is taken back, with all that was billed for it, only where `is_backdated`.

    Raises:
        SubscriptionNotFound, VersionConflict: see `tenor.subscriptions.changing`.
        UndoRefused: there is no such entry, it has taken effect or been taken back, or nothing can take it back: the
            start, an undoing, a transfer, and a cancellation that has ended the subscription.
    """
    opened = open_for_change(uow, subscription_id, version=version, now=now)
    change = _entry(opened.journal, entry)
    _require_undoable(change, now=now, is_backdated=is_backdated)
    parts = taken_back_with(opened.journal, change)
    for part in parts:
        if isinstance(part.facts, DiscountApplied):
            undo_redemption(uow, part.facts.discount.id, now=now, actor=actor, reason=reason)
    entries = [(Undone(part.version), part.effective_at) for part in parts]
    return record_and_replan(uow, opened, entries, Recording(now, actor, reason))


def _entry(journal: Sequence[Change], entry: int) -> Change:
    found = next((change for change in journal if change.version == entry), None)
    if found is None:
        raise UndoRefused(f"there is no entry {entry}; the journal has 1 to {len(journal)}", entry=entry)
    if isinstance(found.facts, Undone):
        raise UndoRefused(f"entry {entry} takes one back and cannot be taken back; make the change anew", entry=entry)
    if found not in standing(journal):
        raise UndoRefused(f"entry {entry} has been taken back already", entry=entry)
    return found


def _require_undoable(change: Change, *, now: datetime, is_backdated: bool) -> None:
    since = format_instant(change.effective_at)
    has_come = change.effective_at <= now
    if isinstance(change.facts, Subscribed):
        why = "is the start, which cannot be taken back; cancel instead"
    elif isinstance(change.facts, Cancelled) and change.facts.transferred_to is not None:
        why = "is a transfer; transfer the other subscription back instead"
    elif isinstance(change.facts, Cancelled) and has_come:
        why = f"has ended the subscription at {since}; subscribe anew"
    elif has_come and not is_backdated:
        why = f"has taken effect at {since}; undo it backdated, which corrects what was billed for it"
    else:
        return
    raise UndoRefused(f"entry {change.version} {why}", entry=change.version, effective_at=since)
