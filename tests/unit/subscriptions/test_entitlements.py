"""The entitlement rule: what plans grant, what a person decides over them, and what the state leaves."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.kernel.ids import OverrideId, SubscriptionId
from tenor.subscriptions.entitlements.model import Access, Entitlement, Facts, Override, Reason, Running
from tenor.subscriptions.entitlements.rules import ACCESS, SETTABLE, entitlement, entitlements
from tenor.subscriptions.model import PhaseState, Status

D = Decimal
TEAM = SubscriptionId(UUID(int=1))
LAB = SubscriptionId(UUID(int=2))
FULL, READ_ONLY, NONE = Access.FULL, Access.READ_ONLY, Access.NONE


def running(
    limits: Mapping[str, int | None],
    *,
    of: SubscriptionId = TEAM,
    status: Status = Status.ACTIVE,
    state: PhaseState = PhaseState.ACTIVE,
    plan: str = "pro version 1",
) -> Running:
    limits_of = {feature: None if limit is None else D(limit) for feature, limit in limits.items()}
    return Running(of, "team" if of == TEAM else "lab", status, state, plan, limits_of)


def override(
    no: int,
    *,
    of: SubscriptionId | None = None,
    is_granted: bool = True,
    limit: int | None = None,
    feature: str = "projects",
) -> Override:
    return Override(
        OverrideId(UUID(int=100 + no)),
        no,
        of,
        feature,
        is_granted,
        None if limit is None else D(limit),
        "eve",
        "asked for",
    )


def check(
    *items: Running, overrides: tuple[Override, ...] = (), access: Mapping[Status, Access] = ACCESS
) -> Entitlement:
    return entitlement("projects", Facts(items, overrides, access))


def brief(found: Entitlement) -> tuple[Access, Decimal | None, Reason]:
    return found.access, found.limit, found.reason


def test_what_the_plan_grants() -> None:
    found = check(running({"projects": 20}))

    assert found == Entitlement("projects", FULL, D(20), Reason.IN_PLAN, "pro version 1 of team")
    assert found.allowed


def test_what_the_plan_does_not_grant() -> None:
    found = check(running({"sso": None}))

    assert found == Entitlement("projects", NONE, D(0), Reason.NOT_GRANTED, "")
    assert not found.allowed


def test_nothing_runs() -> None:
    assert brief(check()) == (NONE, D(0), Reason.NOT_GRANTED)


def test_the_limits_of_plan_and_add_ons_add_up() -> None:
    """20 of the plan, 5 and 5 of two add-ons."""
    add_on = running({"projects": 5}, plan="more version 2")

    found = check(running({"projects": 20}), add_on, add_on)

    assert brief(found) == (FULL, D(30), Reason.IN_PLAN)
    assert found.source == "pro version 1 + more version 2 + more version 2 of team"


def test_one_part_without_a_limit_is_unlimited() -> None:
    assert check(running({"projects": 20}), running({"projects": None})).limit is None


def test_an_add_on_alone_may_grant() -> None:
    assert brief(check(running({"sso": None}), running({"projects": 5}))) == (FULL, D(5), Reason.IN_PLAN)


def test_a_limit_of_nothing_is_granted() -> None:
    """A plan may show a feature of which none is included."""
    assert brief(check(running({"projects": 0}))) == (FULL, D(0), Reason.IN_PLAN)


@pytest.mark.parametrize(
    ("status", "state", "expected"),
    [
        (Status.ACTIVE, PhaseState.ACTIVE, (FULL, D(20), Reason.IN_PLAN)),
        (Status.TRIALING, PhaseState.TRIAL, (FULL, D(20), Reason.IN_PLAN)),
        (Status.EXPIRING_SOON, PhaseState.ACTIVE, (FULL, D(20), Reason.IN_PLAN)),
        (Status.PAUSED, PhaseState.PAUSED, (READ_ONLY, D(20), Reason.PAUSED)),
        (
            Status.ACTIVE,
            PhaseState.PAUSED,
            (READ_ONLY, D(20), Reason.PAUSED),
        ),  # a pause that the calendar has not seen yet
        (Status.PAUSED, PhaseState.ACTIVE, (FULL, D(20), Reason.IN_PLAN)),  # asked of an instant after it
        (Status.PAST_DUE, PhaseState.ACTIVE, (FULL, D(20), Reason.PAST_DUE)),  # within grace
        (Status.PAST_DUE, PhaseState.PAUSED, (READ_ONLY, D(20), Reason.PAUSED)),
        (Status.SUSPENDED, PhaseState.ACTIVE, (READ_ONLY, D(20), Reason.SUSPENDED)),
    ],
)
def test_what_a_state_leaves(status: Status, state: PhaseState, expected: tuple[Access, Decimal, Reason]) -> None:
    assert brief(check(running({"projects": 20}, status=status, state=state))) == expected


def test_every_state_has_its_row() -> None:
    assert set(ACCESS) == set(Status)
    assert {status for status, access in ACCESS.items() if access is NONE} == {
        Status.CREATED,
        Status.EXPIRED,
        Status.CANCELLED,
    }


def test_a_tenant_may_shut_out_who_does_not_pay() -> None:
    strict = {**ACCESS, Status.SUSPENDED: NONE, Status.PAST_DUE: READ_ONLY}
    team = running({"projects": 20}, status=Status.SUSPENDED)
    lab = running({"projects": 20}, status=Status.PAST_DUE)

    assert brief(check(team, access=strict)) == (NONE, D(0), Reason.SUSPENDED)
    assert brief(check(lab, access=strict)) == (READ_ONLY, D(20), Reason.PAST_DUE)
    assert {Status.PAST_DUE, Status.PAUSED, Status.SUSPENDED} == SETTABLE


def test_the_best_of_several_subscriptions_counts() -> None:
    """The lab is suspended: its 10 are not there to be used beside the team's 20."""
    team, lab = running({"projects": 20}), running({"projects": 10}, of=LAB, status=Status.SUSPENDED)

    assert brief(check(team, lab)) == (FULL, D(20), Reason.IN_PLAN)
    assert check(lab, team).source == "pro version 1 of team"


def test_subscriptions_of_equal_standing_add_up() -> None:
    found = check(running({"projects": 20}), running({"projects": 10}, of=LAB))

    assert (found.limit, found.source) == (D(30), "pro version 1 of team; pro version 1 of lab")


def test_a_grant_for_all_of_the_customer_needs_nothing_that_runs() -> None:
    found = check(overrides=(override(1, limit=3),))

    assert found == Entitlement("projects", FULL, D(3), Reason.OVERRIDDEN, "override 1 by eve: asked for")
    assert brief(check(running({"projects": 20}, status=Status.SUSPENDED), overrides=(override(1, limit=3),))) == (
        FULL, D(3), Reason.OVERRIDDEN,
    )  # fmt: skip


def test_a_denial_for_all_of_the_customer() -> None:
    found = check(running({"projects": 20}), overrides=(override(1, is_granted=False),))

    assert brief(found) == (NONE, D(0), Reason.DENIED)


@pytest.mark.parametrize("order", [1, -1])
def test_the_newest_override_wins(order: int) -> None:
    overrides = (override(1, limit=3), override(2, is_granted=False), override(3, limit=7))[::order]

    assert check(overrides=overrides).limit == D(7)


def test_one_for_all_of_the_customer_stands_over_a_newer_one_for_a_subscription() -> None:
    overrides = (override(1, is_granted=False), override(2, of=TEAM, limit=50))

    assert brief(check(running({"projects": 20}), overrides=overrides)) == (NONE, D(0), Reason.DENIED)


def test_one_for_a_subscription_stands_in_place_of_its_plans() -> None:
    """50 in place of 20 + 5; the lab's 10 still count."""
    items = (running({"projects": 20}), running({"projects": 5}), running({"projects": 10}, of=LAB))

    found = check(*items, overrides=(override(1, of=TEAM, limit=50),))

    assert (found.limit, found.source) == (D(60), "override 1 by eve: asked for; pro version 1 of lab")


def test_one_for_a_subscription_shares_its_fate() -> None:
    overrides = (override(1, of=TEAM, limit=50),)

    assert brief(check(running({}), overrides=overrides)) == (FULL, D(50), Reason.OVERRIDDEN)
    assert brief(check(running({}, state=PhaseState.PAUSED), overrides=overrides)) == (READ_ONLY, D(50), Reason.PAUSED)
    assert brief(check(running({"projects": 10}, of=LAB), overrides=overrides)) == (FULL, D(10), Reason.IN_PLAN)
    assert brief(check(overrides=overrides)) == (NONE, D(0), Reason.NOT_GRANTED)


def test_a_denial_for_one_of_two_subscriptions() -> None:
    denied = (override(1, of=TEAM, is_granted=False),)

    assert brief(check(running({"projects": 20}), overrides=denied)) == (NONE, D(0), Reason.DENIED)
    assert check(running({"projects": 20}), running({"projects": 10}, of=LAB), overrides=denied).limit == D(10)


def test_all_features_that_anything_names() -> None:
    facts = Facts((running({"sso": None, "projects": 20}),), (override(1, feature="api", is_granted=False),), ACCESS)

    assert [(one.feature, one.allowed) for one in entitlements(facts)] == [
        ("api", False),
        ("projects", True),
        ("sso", True),
    ]


limits = st.one_of(st.none(), st.decimals(0, 10**6, places=3))
items = st.builds(
    Running,
    st.sampled_from([TEAM, LAB]),
    st.just("team"),
    st.sampled_from([Status.ACTIVE, Status.PAST_DUE, Status.SUSPENDED]),
    st.sampled_from(PhaseState),
    st.just("pro version 1"),
    st.dictionaries(st.sampled_from(["projects", "sso"]), limits),
)


@given(st.lists(items, max_size=5).map(tuple), limits)
@settings(max_examples=200, deadline=None)
def test_an_add_on_never_takes_anything_away(before: tuple[Running, ...], limit: Decimal | None) -> None:
    """More of an add-on beside a plan: access no worse, and at the same access the limit no lower."""
    # One subscription has one state, whatever its items.
    standing = {one.subscription_id: (one.status, one.state) for one in before}
    before = tuple(
        one._replace(status=standing[one.subscription_id][0], state=standing[one.subscription_id][1]) for one in before
    )
    for one in before or (running({}),):
        add_on = one._replace(limits={"projects": limit})
        was, now = check(*before), check(*before, add_on)

        rank = [NONE, READ_ONLY, FULL].index
        assert rank(now.access) >= rank(was.access)
        if now.access is was.access is not NONE and now.limit is not None:
            assert was.limit is not None
            assert now.limit >= was.limit
