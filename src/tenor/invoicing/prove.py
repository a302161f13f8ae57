"""Prove: derive every issued document again from its inputs, and report any cent of drift.

Two independent paths meet here. What was issued is checked against itself (`consistency`), and what it bills is
checked against what the journals, price versions and usage say is owed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from tenor.invoicing.adjustments import waivers_of
from tenor.invoicing.billing_settings import GRACE_DAYS_MAX
from tenor.invoicing.consistency import check_claims, check_documents, check_numbers, check_runs, check_states
from tenor.invoicing.consistency_decisions import check_decisions
from tenor.invoicing.consistency_ledger import check_ledger
from tenor.invoicing.consistency_prepaid import check_prepaid
from tenor.invoicing.consistency_wallets import check_wallets
from tenor.invoicing.model import Key
from tenor.invoicing.proof import CHUNK, Progress, Proof
from tenor.invoicing.rules.discounting import Looked, dues_of_all
from tenor.invoicing.rules.dues import Due, Look, next_due_at
from tenor.invoicing.rules.owed import owed_of_items
from tenor.invoicing.rules.price_memory import PriceMemory
from tenor.invoicing.rules.running import as_settled
from tenor.invoicing.rules.settle import less_waived
from tenor.invoicing.store import metered_claims
from tenor.invoicing.usage import UsageRequest, read_usage
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import NotFound, Refusal
from tenor.kernel.ids import ItemId, PlanVersionId, SubscriptionId, to_wire
from tenor.kernel.period import Period, format_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions, tampered_plan_versions
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import Policy, profile
from tenor.subscriptions import Subscription, fold_with_life, journals, load_items, subscription_ids, timeline_drift
from tenor.subscriptions.model import AppliedDiscount


class _Derivable(NamedTuple):
    """The settled items of a subscription as the journal has them, and all that has fallen due of each."""

    subscription: Subscription
    discounts: tuple[AppliedDiscount, ...]
    looked: list[Looked]
    dues: list[list[Due]]
    zone: tzinfo
    policy: Policy


@dataclass(slots=True)
class _Chunk:
    """Some subscriptions: whose items are whose, those to derive, and those that cannot be or need not yet.

    `falls_due` says when something falls due next of an item, by its journal; who is left out will be without end.
    """

    ids: Sequence[SubscriptionId]
    holders: dict[ItemId, SubscriptionId] = field(default_factory=dict)
    derivable: list[_Derivable] = field(default_factory=list)
    left_out: set[ItemId] = field(default_factory=set)
    falls_due: dict[ItemId, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Memory:
    """What is kept from chunk to chunk. Of the plan versions that are `lost` nothing can be derived."""

    lost: set[PlanVersionId]
    plans: dict[PlanVersionId, PlanVersion] = field(default_factory=dict)
    prices: dict[tuple[str, str], PriceMemory] = field(default_factory=dict)
    line_count: int = 0

    def prices_of(self, policy: Policy, currency: str) -> PriceMemory:
        """Return the prices worked out so far under a policy in a currency."""
        return self.prices.setdefault((policy.name, currency), PriceMemory(policy, currency=currency))


def prove(uow: UnitOfWork, *, on_progress: Progress | None = None) -> Proof:
    """Check everything that the tenant has issued; call it in a snapshot, or a run in work looks like drift.

    Cost grows with the number of documents and subscriptions, in a constant number of statements for
    each thousand of them.
    """
    proof = Proof()
    told = on_progress or (lambda _step, _count: None)
    tampered = _check_plan_versions(uow, proof)
    check_documents(uow, proof, told)
    check_numbers(uow, proof)
    check_ledger(uow, proof)
    check_wallets(uow, proof)
    check_claims(uow, proof)
    check_runs(uow, proof)
    check_states(uow, proof)
    check_decisions(uow, proof)
    check_prepaid(uow, proof)
    _check_owed(uow, proof, told, _Memory(lost=tampered))
    return proof


def _check_plan_versions(uow: UnitOfWork, proof: Proof) -> set[PlanVersionId]:
    """Find plan versions whose content no longer gives their hash."""
    count, tampered = tampered_plan_versions(uow)
    proof.checked["plan versions"] = count
    for version_id, name in tampered:
        proof.found("plan_version_changed", to_wire("plv", version_id), f"{name} is not what was applied")
    return {version_id for version_id, _ in tampered}


def _check_owed(uow: UnitOfWork, proof: Proof, told: Progress, memory: _Memory) -> None:
    """Find keys whose billed amount is not what journal, prices and usage say is owed, and lines of no subscription."""
    ids = subscription_ids(uow)
    for start in range(0, len(ids), CHUNK):
        chunk = _Chunk(ids[start : start + CHUNK])
        for drift in timeline_drift(uow, chunk.ids):
            proof.found(
                "timeline_drift",
                to_wire("sub", drift.subscription_id),
                f"{drift.part}: what is in force is not what the journal gives",
            )
        _sort_out(uow, chunk, proof, memory)
        _check_looks(uow, chunk, proof)
        owed = _owed_of(uow, chunk, proof, memory)
        billed = _billed_of(uow, chunk, memory)
        for key in sorted(owed.keys() | billed.keys()):
            owed_minor, billed_minor = owed.get(key, 0), billed.get(key, 0)
            if owed_minor != billed_minor and key.item_id not in chunk.left_out:
                _report_drift(proof, chunk, key, owed_minor=owed_minor, billed_minor=billed_minor)
        told("subscriptions", len(chunk.ids))
    proof.checked["subscriptions"] = len(ids)
    of_items = "select count(*) from invoice_lines where adjustment_id is null"
    unclaimed = (uow.fetch_one(of_items) or (0,))[0] - memory.line_count
    if unclaimed:
        proof.found("line_without_item", "lines", f"{unclaimed} lines are of items that no subscription has")


def _sort_out(uow: UnitOfWork, chunk: _Chunk, proof: Proof, memory: _Memory) -> None:
    """Find out which items can be derived, from the journals alone, and which are left out.

    Left out are items with news, which the next run has yet to settle (they are counted as pending), and those
    of which a finding says already that their inputs are gone. An item that has not been settled, or of which
    later changes left no time, owes nothing.
    """
    known = journals(uow, chunk.ids)
    folded = {subscription_id: fold_with_life(journal) for subscription_id, journal in known.items()}
    _remember_plans(
        uow, {item.plan_version_id for timeline, _ in folded.values() for item in timeline.items}, proof, memory
    )
    for standing in load_items(uow, chunk.ids):
        subscription = standing.subscription
        timeline, life = folded[subscription.id]
        if subscription != replace(subscription, version=len(known[subscription.id]), **life._asdict()):
            told = "its version, trial or term is not what the journal gives"
            proof.found("timeline_drift", to_wire("sub", subscription.id), told)
        policy, zone = profile(subscription.profile), parse_zone(subscription.timezone)
        chunk.holders.update((position.item_id, subscription.id) for position in standing.positions)
        pending = {position.item_id for position in standing.positions if position.revisit_from is not None}
        settled_through = {position.item_id: position.settled_through for position in standing.positions}
        metered_through = {position.item_id: position.metered_through for position in standing.positions}
        for item in timeline.items:
            if item.plan_version_id in memory.plans and item.phases:
                after = settled_through.get(item.id) or item.starts_at - datetime.resolution
                plan = memory.plans[item.plan_version_id]
                if (at := next_due_at(item, plan, zone, policy.calendar, after=after)) is not None:
                    chunk.falls_due[item.id] = at
        proof.pending += len(pending)
        chunk.left_out |= pending
        chunk.left_out |= {item.id for item in timeline.items if item.plan_version_id in memory.lost}
        if pending:
            chunk.left_out |= {item.id for item in timeline.items}  # what they owe may hang on what is pending
        looked = [
            Looked(
                item,
                memory.plans[item.plan_version_id],
                Look(through, None, None, metered_through=metered_through.get(item.id), so_far=True),
            )
            for item in timeline.items
            if (through := settled_through.get(item.id)) is not None and item.id not in chunk.left_out
        ]
        if looked:
            found = dues_of_all(looked, timeline.discounts, zone, policy.calendar)
            chunk.derivable.append(_Derivable(subscription, timeline.discounts, looked, found, zone, policy))
    _count_as_settled(uow, chunk)


def _check_looks(uow: UnitOfWork, chunk: _Chunk, proof: Proof) -> None:
    """Find items that no bill run will look at again, or only long after something of them falls due.

    A draft is looked at when it has been open for as long as its customer's were then, so not for longer than any.
    """
    latest = {item_id: at + timedelta(days=GRACE_DAYS_MAX) for item_id, at in chunk.falls_due.items()}
    rows = uow.fetch_all(
        """
        select p.item_id, p.next_due_at from billing_positions p
        join unnest(%s::uuid[], %s::timestamptz[]) as due (item_id, latest) using (item_id)
        where p.next_due_at is null or p.next_due_at > due.latest order by p.item_id
        """,
        [list(latest), list(latest.values())],
    )
    for item_id, looked_at in rows:
        when = "never" if looked_at is None else f"at {format_instant(looked_at)}"
        proof.found(
            "look_missing",
            to_wire("sub", chunk.holders[item_id]),
            f"an item falls due at {format_instant(chunk.falls_due[item_id])} and is to be looked at {when}",
        )


def _count_as_settled(uow: UnitOfWork, chunk: _Chunk) -> None:
    """Count usage that was billed while its period ran as far as its last settlement counted it."""
    early = {
        looked.item.id: looked.look.through
        for one in chunk.derivable
        for looked in one.looked
        if looked.look.metered_through is not None
    }
    metered = metered_claims(uow, early)
    for one in chunk.derivable:
        for place, looked in enumerate(one.looked):
            if looked.item.id in early:
                one.dues[place] = as_settled(one.dues[place], looked.look, metered[looked.item.id])


def _remember_plans(uow: UnitOfWork, wanted: set[PlanVersionId], proof: Proof, memory: _Memory) -> None:
    """Read the plan versions that are not known yet; find those that are gone."""
    missing = wanted - memory.plans.keys() - memory.lost
    if not missing:
        return
    try:
        memory.plans.update(plan_versions(uow, missing))
    except NotFound:
        for version_id in sorted(missing):
            try:
                memory.plans.update(plan_versions(uow, [version_id]))
            except NotFound:
                proof.found("plan_version_missing", to_wire("plv", version_id), "a journal names it, but it is gone")
                memory.lost.add(version_id)


def _owed_of(uow: UnitOfWork, chunk: _Chunk, proof: Proof, memory: _Memory) -> dict[Key, int]:
    """Return what is owed of every item that can be derived, in minor units, less what was waived."""
    usage = read_usage(
        uow,
        [
            UsageRequest(one.subscription, looked.item, due, one.zone, one.policy)
            for one in chunk.derivable
            for looked, item_dues in zip(one.looked, one.dues, strict=True)
            for due in item_dues
            if due.charge.metric is not None
        ],
        from_events=True,
    )
    waived = waivers_of(uow, [looked.item.id for one in chunk.derivable for looked in one.looked])
    found: dict[Key, int] = {}
    for subscription, discounts, looked, looked_at, zone, policy in chunk.derivable:
        prices = memory.prices_of(policy, looked[0].plan.currency)
        try:
            by_item = owed_of_items(looked, looked_at, discounts, usage, prices, zone)
        except Refusal as refusal:
            proof.found("not_derivable", to_wire("sub", subscription.id), f"{refusal.code}: {refusal.message}")
            chunk.left_out |= {one.item.id for one in looked}
            continue
        entries = less_waived([entry for entries in by_item for entry in entries], waived)
        found.update((entry.key, entry.amount_minor) for entry in entries)
        proof.checked["owed amounts"] += len(entries)
    return found


def _billed_of(uow: UnitOfWork, chunk: _Chunk, memory: _Memory) -> dict[Key, int]:
    rows = uow.fetch_all(
        """
        select l.item_id, l.charge_id, l.dimension, l.period_start, l.period_end, sum(l.amount_minor)::bigint, count(*)
        from invoice_lines l join subscription_items i on i.id = l.item_id
        where i.subscription_id = any(%s)
        group by l.item_id, l.charge_id, l.dimension, l.period_start, l.period_end
        """,
        [list(chunk.ids)],
    )
    memory.line_count += sum(row[-1] for row in rows)
    return {
        Key(item_id, charge_id, dimension, Period(start, end)): amount
        for item_id, charge_id, dimension, start, end, amount, _ in rows
    }


def _report_drift(proof: Proof, chunk: _Chunk, key: Key, *, owed_minor: int, billed_minor: int) -> None:
    holder = chunk.holders.get(key.item_id)
    proof.found(
        "owed_differs",
        to_wire("sub", holder) if holder else to_wire("itm", key.item_id),
        f"charge {to_wire('chg', key.charge_id)} from {format_instant(key.period.start)} to "
        f"{format_instant(key.period.end)}: owed {owed_minor}, billed {billed_minor} minor units",
    )
