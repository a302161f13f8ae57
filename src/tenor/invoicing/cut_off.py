"""Late usage: what comes after the cut-off of its period is set aside, or counts as used when it came."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from tenor.invoicing.rules.cut_off import open_from
from tenor.invoicing.rules.dues import service_grid
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.metering import Amendment, Arrival, Before, TouchedUsage, amend_usage, arrivals, event_names
from tenor.platform.arrays import column_arrays, looked_up
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions
from tenor.pricing.policy import Policy, profile
from tenor.subscriptions import load_items

Treatment = Literal["reported", "moved"]

_ACTOR: Final = "policy"


class LateEvent(NamedTuple):
    """An event that came after the cut-off. `open_from`: usage of before it was no longer billed when it came."""

    source: str
    event_id: str
    customer: str
    metric: str
    occurred_at: datetime
    open_from: datetime
    value: Decimal
    treatment: Treatment
    recorded_at: datetime


class _Closed(NamedTuple):
    """Up to when usage of a customer by a metric is closed, and what becomes of what comes for before."""

    open_from: datetime
    treatment: Treatment


def set_late_usage_aside(uow: UnitOfWork, touched: Sequence[TouchedUsage], *, now: datetime) -> int:
    """Apply the cut-off to usage that has just arrived; return how many events are not to be billed.

    An event that comes for a closed period is cancelled, or by policy moved to the time of its arrival; it stays on
    record, with a row that says so. A period is closed when all of the customer's charges for the metric have closed
    and settled it. What a person corrects or cancels is no late usage: that is always billed.
    """
    closed = _closed(uow, touched, now=now)
    wanted = [
        Before(one.customer_id, one.metric_code, closed[key].open_from)
        for one in touched
        if (key := one[:2]) in closed and one.earliest_at < closed[key].open_from
    ]
    found = arrivals(uow, wanted, recorded_at=now) if wanted else []
    if found:
        _amend(uow, found, closed, now=now)
    return len(found)


def late_usage(uow: UnitOfWork, *, since: datetime, limit: int) -> list[LateEvent]:
    """Return the events that have come after their cut-off since an instant, the latest first."""
    rows = uow.fetch_all(
        """
        select l.event_id, c.external_id, l.metric_code, l.occurred_at, l.open_from, l.value, l.treatment, l.recorded_at
        from late_usage l join customers c on c.id = l.customer_id
        where l.recorded_at >= %s order by l.recorded_at desc, l.event_id limit %s
        """,
        [since, limit],
    )
    names = event_names(uow, {row_id: occurred_at for row_id, _, _, occurred_at, *_ in rows})
    return [LateEvent(*names[row_id], *rest) for row_id, *rest in rows]


def _closed(
    uow: UnitOfWork, touched: Sequence[TouchedUsage], *, now: datetime
) -> dict[tuple[CustomerId, str], _Closed]:
    """Return where usage is closed, for those customers and metrics of which some is."""
    policies = _policies(uow, touched)
    if not policies:
        return {}
    standings = load_items(uow, list(policies))
    plans = plan_versions(uow, {item.plan_version_id for standing in standings for item in standing.items})
    metrics = {one.metric_code for one in touched}
    found: dict[tuple[CustomerId, str], list[_Closed | None]] = {}
    for standing in standings:
        policy = policies[standing.subscription.id]
        for item, position in zip(standing.items, standing.positions, strict=True):
            plan = plans[item.plan_version_id]
            for charge in plan.charges:
                if charge.metric not in metrics or not item.phases:
                    continue
                zone = parse_zone(standing.subscription.timezone)
                grid = service_grid(item, charge.interval or plan.interval, zone, policy.calendar)
                start = open_from(grid, policy, now=now)
                settled_through = position.settled_through
                is_closed = start is not None and settled_through is not None and start <= settled_through
                entry = _Closed(start, _treatment(policy)) if start is not None and is_closed else None
                found.setdefault((standing.subscription.customer_id, charge.metric), []).append(entry)
    return {key: min(entries) for key, every in found.items() if (entries := [one for one in every if one]) == every}


def _policies(uow: UnitOfWork, touched: Sequence[TouchedUsage]) -> dict[SubscriptionId, Policy]:
    """Return the policy of each subscription of the customers who used before something was settled; one statement.

    None of them where no policy has a cut-off: hardly any usage asks for more than this.
    """
    rows = uow.fetch_all(
        f"""
        select s.id, s.profile from subscriptions s
        where s.customer_id in (
            select touched.customer_id from {looked_up("touched", _TOUCHED)}
            join subscriptions o on o.customer_id = touched.customer_id
            join billing_positions b on b.subscription_id = o.id and b.settled_through > touched.earliest_at
        )
        """,
        column_arrays("touched", _TOUCHED, [(one.customer_id, one.earliest_at) for one in touched]),
    )
    policies = {SubscriptionId(subscription_id): profile(name) for subscription_id, name in rows}
    cuts_off = any(
        policy.metering.late_usage_days is not None or policy.billing.late_usage_periods is not None
        for policy in policies.values()
    )
    return policies if cuts_off else {}


_TOUCHED: Final = (("customer_id", "uuid"), ("earliest_at", "timestamptz"))


def _treatment(policy: Policy) -> Treatment:
    return "reported" if policy.metering.late_usage_after == "report" else "moved"


def _amend(
    uow: UnitOfWork, found: Sequence[Arrival], closed: Mapping[tuple[CustomerId, str], _Closed], *, now: datetime
) -> None:
    by_treatment: dict[Treatment, list[Amendment]] = {"reported": [], "moved": []}
    rows = []
    for row_id, customer_id, event, value in found:
        start, treatment = closed[customer_id, event.metric_code or ""]
        moved = event._replace(occurred_at=now) if treatment == "moved" else None
        by_treatment[treatment].append(Amendment(event.source, event.event_id, moved))
        rows.append((row_id, customer_id, event.metric_code, event.occurred_at, start, value, treatment))
    for treatment, amendments in by_treatment.items():
        if amendments:
            amend_usage(uow, amendments, now=now, actor=_ACTOR, reason=f"after the cut-off: {treatment}")
    _write(uow, rows, now=now)


def _write(uow: UnitOfWork, rows: Iterable[tuple[object, ...]], *, now: datetime) -> None:
    uow.execute(
        """
        insert into late_usage (tenant_id, recorded_at, event_id, customer_id, metric_code, occurred_at, open_from,
                                value, treatment)
        select %s, %s, * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                                     %s::numeric[], %s::text[])
        """,
        [uow.tenant_id, now, *map(list, zip(*rows, strict=True))],
    )
