"""The entitlement rule: plans and add-ons that run, what a person decided over them, and what the state leaves.

1. An override for all of the customer decides alone; of several the newest.
2. Else every subscription that runs gives what its newest override says, or without one what its plan and its add-ons
   grant together: their limits add up.
3. What is given has the access that the subscription's state leaves. The best access of any subscription counts, and
   the limits of all that have it add up.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal, localcontext
from types import MappingProxyType
from typing import Final, NamedTuple

from tenor.kernel.ids import SubscriptionId
from tenor.kernel.money import EXACT
from tenor.subscriptions.entitlements.model import Access, Entitlement, Facts, Override, Reason
from tenor.subscriptions.model import PhaseState, Status

ACCESS: Final[Mapping[Status, Access]] = MappingProxyType(
    {
        Status.CREATED: Access.NONE,
        Status.TRIALING: Access.FULL,
        Status.ACTIVE: Access.FULL,
        Status.PAST_DUE: Access.FULL,
        Status.PAUSED: Access.READ_ONLY,
        Status.EXPIRING_SOON: Access.FULL,
        Status.EXPIRED: Access.NONE,
        Status.CANCELLED: Access.NONE,
        Status.SUSPENDED: Access.READ_ONLY,
    }
)
"""What each state leaves of the features: grace is no punishment, and nobody is shut out from what is theirs."""

SETTABLE: Final = frozenset({Status.PAST_DUE, Status.PAUSED, Status.SUSPENDED})
"""States of which a tenant may say otherwise."""

_OF_STATE: Final[Mapping[PhaseState, Status]] = MappingProxyType(
    {PhaseState.TRIAL: Status.TRIALING, PhaseState.ACTIVE: Status.ACTIVE, PhaseState.PAUSED: Status.PAUSED}
)
_UNPAID: Final = frozenset({Status.PAST_DUE, Status.SUSPENDED})
"""States that no timeline knows of, for they come from payments."""

_REASONS: Final[Mapping[Status, Reason]] = MappingProxyType(
    {Status.PAST_DUE: Reason.PAST_DUE, Status.PAUSED: Reason.PAUSED, Status.SUSPENDED: Reason.SUSPENDED}
)
_RANK: Final = MappingProxyType({Access.NONE: 0, Access.READ_ONLY: 1, Access.FULL: 2})
_NOTHING: Final = Decimal(0)


class _Given(NamedTuple):
    """What one subscription gives of a feature."""

    access: Access
    limit: Decimal | None
    reason: Reason
    source: str


def entitlement(feature: str, facts: Facts) -> Entitlement:
    """Return what the customer may do with `feature`, of which `facts` hold all that decides."""
    overrides = [override for override in facts.overrides if override.feature == feature]
    for_all = _newest(override for override in overrides if override.subscription_id is None)
    if for_all is not None:
        return _on_its_word(for_all)
    subscriptions = dict.fromkeys(one.subscription_id for one in facts.running)
    given = [part for one in subscriptions if (part := _given(feature, one, facts, overrides))]
    if not given:
        denial = _newest(override for override in overrides if override.subscription_id in subscriptions)
        if denial is not None:
            return _on_its_word(denial)
        return Entitlement(feature, Access.NONE, _NOTHING, Reason.NOT_GRANTED, "")
    best = max((part.access for part in given), key=_RANK.__getitem__)
    counting = [part for part in given if part.access is best]
    return Entitlement(
        feature,
        best,
        _NOTHING if best is Access.NONE else _sum(part.limit for part in counting),
        counting[0].reason,
        "; ".join(part.source for part in counting),
    )


def entitlements(facts: Facts) -> list[Entitlement]:
    """Return what the customer may do with every feature that a plan, an add-on or an override names, by feature."""
    features = {feature for one in facts.running for feature in one.limits}
    features |= {override.feature for override in facts.overrides}
    return [entitlement(feature, facts) for feature in sorted(features)]


def _given(
    feature: str, subscription_id: SubscriptionId, facts: Facts, overrides: Collection[Override]
) -> _Given | None:
    """Return what a subscription gives of a feature; None when it gives nothing."""
    items = [one for one in facts.running if one.subscription_id == subscription_id]
    access, reason = access_left(items[0].state, items[0].status, facts.access)
    override = _newest(one for one in overrides if one.subscription_id == subscription_id)
    if override is not None:
        given = _Given(access, override.limit, reason or Reason.OVERRIDDEN, _told(override))
        return given if override.is_granted else None
    granting = [one for one in items if feature in one.limits]
    if not granting:
        return None
    source = f"{' + '.join(one.plan for one in granting)} of {items[0].subscription}"
    return _Given(access, _sum(one.limits[feature] for one in granting), reason or Reason.IN_PLAN, source)


def access_left(state: PhaseState, status: Status, access: Mapping[Status, Access]) -> tuple[Access, Reason | None]:
    """Return what the states of a phase and of its subscription leave, the worst, and the one that takes or may take.

    `access` is what each state leaves.
    """
    states = [_OF_STATE[state], *({status} & _UNPAID)]
    worst = min(states, key=lambda status: (_RANK[access[status]], status not in _REASONS))
    return access[worst], _REASONS.get(worst)


def _on_its_word(override: Override) -> Entitlement:
    if override.is_granted:
        return Entitlement(override.feature, Access.FULL, override.limit, Reason.OVERRIDDEN, _told(override))
    return Entitlement(override.feature, Access.NONE, _NOTHING, Reason.DENIED, _told(override))


def _newest(overrides: Iterable[Override]) -> Override | None:
    return max(overrides, key=lambda override: override.override_no, default=None)


def _told(override: Override) -> str:
    return f"override {override.override_no} by {override.actor}: {override.reason}"


def _sum(limits: Iterable[Decimal | None]) -> Decimal | None:
    """Return the sum; None, which is unlimited, as soon as one is."""
    total = _NOTHING
    with localcontext(EXACT):
        for limit in limits:
            if limit is None:
                return None
            total += limit
    return total
