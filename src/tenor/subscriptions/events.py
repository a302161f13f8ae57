"""Events of this context, `subscription.<what>`: one for each entry of a journal and for each later move of a state."""

from datetime import datetime

from tenor.kernel.ids import to_wire
from tenor.kernel.period import format_instant
from tenor.platform.outbox import Event
from tenor.subscriptions.model import Change, Subscription
from tenor.subscriptions.rules.moves import Move
from tenor.subscriptions.store.facts import kind_of


def change_event(subscription: Subscription, change: Change) -> Event:
    """Return `subscription.<kind of change>`, with the state of the subscription after the change.

    What changed stands in the journal under this version.
    """
    return Event(
        type=f"subscription.{kind_of(change.facts)}",
        object_id=subscription.id,
        payload={
            "customer_id": to_wire("cus", subscription.customer_id),
            "external_id": subscription.external_id,
            "version": change.version,
            "status": subscription.status.value,
            "effective_at": format_instant(change.effective_at),
        },
        occurred_at=change.recorded_at,
    )


def move_event(subscription: Subscription, move: Move, *, now: datetime) -> Event:
    """Return `subscription.moved`: the state that was left, the one that was reached, and why."""
    return Event(
        type="subscription.moved",
        object_id=subscription.id,
        payload={
            "customer_id": to_wire("cus", subscription.customer_id),
            "external_id": subscription.external_id,
            "from_status": move.from_status.value,
            "to_status": move.to_status.value,
            "trigger": move.trigger.value,
            "effective_at": format_instant(move.effective_at),
        },
        occurred_at=now,
    )
