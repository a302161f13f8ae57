"""Every pair of state and trigger: the rows lead where they say, all others are refused."""

import pytest

from tenor.subscriptions.errors import TransitionRefused
from tenor.subscriptions.lifecycle import MOVES, Trigger, next_status
from tenor.subscriptions.model import Status

# The table, written down a second time by hand: from → trigger → to.
EXPECTED = {
    "created": {"trial_started": "trialing", "started": "active", "cancelled": "cancelled"},
    "trialing": {"trial_converted": "active", "trial_lapsed": "expired", "paused": "paused", "cancelled": "cancelled"},
    "active": {
        "payment_failed": "past_due",
        "paused": "paused",
        "end_noticed": "expiring_soon",
        "cancelled": "cancelled",
    },
    "past_due": {"payment_settled": "active", "grace_ended": "suspended", "cancelled": "cancelled"},
    "paused": {
        "resumed": "active",
        "trial_resumed": "trialing",
        "term_ended": "expired",
        "cancelled": "cancelled",
    },
    "expiring_soon": {
        "renewed": "active",
        "payment_failed": "past_due",
        "paused": "paused",
        "term_ended": "expired",
        "cancelled": "cancelled",
    },
    "suspended": {"payment_settled": "active", "cancelled": "cancelled"},
    "expired": {"reactivated": "active", "cancelled": "cancelled"},
    "cancelled": {},
}
PAIRS = [(status, trigger) for status in Status for trigger in Trigger]


def test_there_are_nine_states_and_the_expected_rows() -> None:
    assert {status.value for status in Status} == set(EXPECTED)
    assert len(MOVES) == 27  # 3 + 4 + 4 + 3 + 4 + 5 + 2 + 2 + 0


@pytest.mark.parametrize(("status", "trigger"), PAIRS)
def test_each_pair_leads_where_the_design_says_or_is_refused(status: Status, trigger: Trigger) -> None:
    target = EXPECTED[status].get(trigger)

    if target is None:
        with pytest.raises(TransitionRefused) as refusal:
            next_status(status, trigger)
        assert refusal.value.code == "transition_refused"
        assert refusal.value.details == {"status": status.value, "trigger": trigger.value}
    else:
        assert next_status(status, trigger) == target


def test_cancelled_has_no_exit_and_every_other_state_can_be_cancelled() -> None:
    assert not [trigger for status, trigger in MOVES if status is Status.CANCELLED]
    assert {status for status in Status if (status, Trigger.CANCELLED) in MOVES} == set(Status) - {Status.CANCELLED}


def test_every_state_is_reached_from_created_and_every_trigger_is_used() -> None:
    reached = {Status.CREATED}
    while more := {target for (source, _), target in MOVES.items() if source in reached} - reached:
        reached |= more

    assert reached == set(Status)
    assert {trigger for _, trigger in MOVES} == set(Trigger)
