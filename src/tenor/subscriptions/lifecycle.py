"""Life of a subscription: every legal move is one row of `MOVES`; nothing else assigns a status.

The database holds the same pairs (tenor.subscription_move_allowed) and refuses the rest.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from tenor.subscriptions.errors import TransitionRefused
from tenor.subscriptions.model import Status


class Trigger(StrEnum):
    """What makes a subscription move."""

    TRIAL_STARTED = "trial_started"  # its start came, with a trial ahead
    STARTED = "started"  # its start came, without a trial
    TRIAL_CONVERTED = "trial_converted"  # the trial ended and pays from here
    TRIAL_LAPSED = "trial_lapsed"  # the trial ended and nobody pays
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_SETTLED = "payment_settled"  # nothing is overdue any more
    GRACE_ENDED = "grace_ended"  # overdue for longer than grace
    PAUSED = "paused"
    RESUMED = "resumed"
    TRIAL_RESUMED = "trial_resumed"  # the pause ended before the trial did
    END_NOTICED = "end_noticed"  # the end of the term is near, or came unnoticed
    RENEWED = "renewed"
    TERM_ENDED = "term_ended"
    REACTIVATED = "reactivated"
    CANCELLED = "cancelled"


MOVES: Final[Mapping[tuple[Status, Trigger], Status]] = MappingProxyType(
    {
        (Status.CREATED, Trigger.TRIAL_STARTED): Status.TRIALING,
        (Status.CREATED, Trigger.STARTED): Status.ACTIVE,
        (Status.CREATED, Trigger.CANCELLED): Status.CANCELLED,
        (Status.TRIALING, Trigger.TRIAL_CONVERTED): Status.ACTIVE,
        (Status.TRIALING, Trigger.TRIAL_LAPSED): Status.EXPIRED,
        # A pause can come to lie in a trial that was extended over it.
        (Status.TRIALING, Trigger.PAUSED): Status.PAUSED,
        (Status.TRIALING, Trigger.CANCELLED): Status.CANCELLED,
        (Status.ACTIVE, Trigger.PAYMENT_FAILED): Status.PAST_DUE,
        (Status.ACTIVE, Trigger.PAUSED): Status.PAUSED,
        (Status.ACTIVE, Trigger.END_NOTICED): Status.EXPIRING_SOON,
        (Status.ACTIVE, Trigger.CANCELLED): Status.CANCELLED,
        (Status.PAST_DUE, Trigger.PAYMENT_SETTLED): Status.ACTIVE,
        (Status.PAST_DUE, Trigger.GRACE_ENDED): Status.SUSPENDED,
        (Status.PAST_DUE, Trigger.CANCELLED): Status.CANCELLED,
        (Status.PAUSED, Trigger.RESUMED): Status.ACTIVE,
        (Status.PAUSED, Trigger.TRIAL_RESUMED): Status.TRIALING,
        # The term goes on in a pause, unless the pause extends it.
        (Status.PAUSED, Trigger.TERM_ENDED): Status.EXPIRED,
        (Status.PAUSED, Trigger.CANCELLED): Status.CANCELLED,
        (Status.EXPIRING_SOON, Trigger.RENEWED): Status.ACTIVE,
        (Status.EXPIRING_SOON, Trigger.PAYMENT_FAILED): Status.PAST_DUE,
        (Status.EXPIRING_SOON, Trigger.PAUSED): Status.PAUSED,
        (Status.EXPIRING_SOON, Trigger.TERM_ENDED): Status.EXPIRED,
        (Status.EXPIRING_SOON, Trigger.CANCELLED): Status.CANCELLED,
        (Status.SUSPENDED, Trigger.PAYMENT_SETTLED): Status.ACTIVE,
        (Status.SUSPENDED, Trigger.CANCELLED): Status.CANCELLED,
        (Status.EXPIRED, Trigger.REACTIVATED): Status.ACTIVE,
        (Status.EXPIRED, Trigger.CANCELLED): Status.CANCELLED,
    }
)


def next_status(status: Status, trigger: Trigger) -> Status:
    """Return where `trigger` leads from `status`.

    Raises:
        TransitionRefused: the pair is not a row of `MOVES`.
    """
    try:
        return MOVES[status, trigger]
    except KeyError:
        known = ", ".join(move for state, move in MOVES if state is status) or "nothing; it is terminal"
        raise TransitionRefused(
            f"a subscription that is {status} cannot be moved by {trigger}; it can by {known}",
            status=status.value,
            trigger=trigger.value,
        ) from None
