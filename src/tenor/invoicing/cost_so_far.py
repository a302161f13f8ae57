"""What the usage of running periods has come to so far: units and cost, charge by charge, from the aggregates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Final
from uuid import UUID

from tenor.invoicing.model import Billed, Owed
from tenor.invoicing.rules.discounting import Looked, dues_of_all
from tenor.invoicing.rules.dues import Due, Look
from tenor.invoicing.rules.owed import UsageKey, owed_of_items
from tenor.invoicing.rules.price_memory import PriceMemory
from tenor.invoicing.store import read_billed
from tenor.invoicing.usage import UsageRequest, read_usage
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import ItemId, PlanVersionId, SubscriptionId
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.pricing.model import Charge, PlanVersion
from tenor.pricing.policy import profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import Standing, Subscription, load_items

_NO_USAGE: Final = Usage()


@dataclass(frozen=True, slots=True)
class ChargeSoFar:
    """What one usage charge has come to in the period that runs, in units and in minor units of the currency.

    `owed` are its amounts with their traces, one for each dimension; `billed_minor` is what documents hold of it.
    """

    item_id: ItemId
    charge: Charge
    period: Period
    units: Decimal
    owed: tuple[Owed, ...]
    billed_minor: int

    @property
    def amount_minor(self) -> int:
        """What it costs so far."""
        return sum(entry.amount_minor for entry in self.owed)


@dataclass(frozen=True, slots=True)
class CostSoFar:
    """What the usage of a subscription costs so far: net, before tax, as it would be billed `through` an instant.

    Percentages are taken off. Left out is what is known only when a period is over: minimums, commitments, caps and
    amounts off; and what is no usage.
    """

    subscription: Subscription
    through: datetime
    charges: tuple[ChargeSoFar, ...]

    @property
    def amount_minor(self) -> int:
        """What all of it costs so far."""
        return sum(charge.amount_minor for charge in self.charges)

    @property
    def billed_minor(self) -> int:
        """What documents hold of it already."""
        return sum(charge.billed_minor for charge in self.charges)


@dataclass(frozen=True, slots=True)
class _Running:
    """A subscription with the dues of usage that run, item by item."""

    standing: Standing
    looked: list[Looked]
    dues: list[list[Due]]
    zone: tzinfo


def cost_so_far(uow: UnitOfWork, subscription_ids: Sequence[SubscriptionId], *, as_of: datetime) -> list[CostSoFar]:
    """Return what usage of each subscription costs so far, by the function that bills it; about six statements.

    The age of an account and the number of its events do not matter. Ids that the tenant does not have are left out.
    """
    standings = load_items(uow, subscription_ids)
    plans = plan_versions(uow, {item.plan_version_id for standing in standings for item in standing.items})
    running = [_running(standing, plans, as_of) for standing in standings]
    usage = read_usage(
        uow,
        [
            UsageRequest(
                one.standing.subscription, looked.item, due, one.zone, profile(one.standing.subscription.profile)
            )
            for one in running
            for looked, dues in zip(one.looked, one.dues, strict=True)
            for due in dues
        ],
    )
    billed = read_billed(uow, _billed_before(running))
    return [_cost(one, usage, billed, as_of) for one in running]


def _running(standing: Standing, plans: Mapping[PlanVersionId, PlanVersion], as_of: datetime) -> _Running:
    """Return what runs of a subscription: all of its usage is looked at, and nothing else."""
    zone, policy = parse_zone(standing.subscription.timezone), profile(standing.subscription.profile)
    look = Look(as_of, settled_through=as_of, revisit_from=None, metered_through=as_of, so_far=True)
    looked = [Looked(item, plans[item.plan_version_id], look) for item in standing.items]
    found = dues_of_all(looked, standing.discounts, zone, policy.calendar)
    dues = [[due for due in dues if due.metered_through is not None] for dues in found]
    return _Running(standing, looked, dues, zone)


def _billed_before(running: Sequence[_Running]) -> dict[UUID, datetime]:
    """Return the items of which running usage was billed, and from where on."""
    return {
        looked.item.id: min(due.period.start for due in dues)
        for one in running
        for looked, dues, position in zip(one.looked, one.dues, one.standing.positions, strict=True)
        if dues and position.metered_through is not None
    }


def _cost(
    one: _Running, usage: Mapping[UsageKey, Usage], billed: Mapping[UUID, Sequence[Billed]], as_of: datetime
) -> CostSoFar:
    subscription = one.standing.subscription
    memory = PriceMemory(profile(subscription.profile), currency=subscription.currency)
    by_item = owed_of_items(one.looked, one.dues, one.standing.discounts, usage, memory, one.zone)
    charges = []
    for looked, dues, owed in zip(one.looked, one.dues, by_item, strict=True):
        for due in dues:
            slot = (due.charge.id, due.period)
            charges.append(
                ChargeSoFar(
                    item_id=looked.item.id,
                    charge=due.charge,
                    period=due.period,
                    units=usage.get((looked.item.id, *slot), _NO_USAGE).units,
                    owed=tuple(entry for entry in owed if entry.key.slot == slot),
                    billed_minor=sum(
                        entry.amount_minor for entry in billed.get(looked.item.id, ()) if entry.key.slot == slot
                    ),
                )
            )
    return CostSoFar(subscription, as_of, tuple(charges))
