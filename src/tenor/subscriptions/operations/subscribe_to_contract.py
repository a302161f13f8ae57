"""Subscribe a customer to a contract of its own, with all steps of the ramp ahead."""

from dataclasses import replace
from datetime import datetime

from tenor.customers import customer_timezones
from tenor.kernel.ids import SubscriptionId, to_wire
from tenor.kernel.period import parse_instant
from tenor.platform.tenants import current_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import Contract, ContractOfAnother, find_contract, plan_versions
from tenor.subscriptions.errors import Flaw, Problem, SubscriptionsRefused
from tenor.subscriptions.model import Change, Item, NewSubscription, Recording
from tenor.subscriptions.opening import Opening, open_subscriptions
from tenor.subscriptions.rules.admission import Admitted, Surroundings, admit, item_id, request_digest
from tenor.subscriptions.rules.ramp import Stage, Step, begun_by, instant_after, stages_ahead
from tenor.subscriptions.rules.timeline import fold
from tenor.subscriptions.store.subscriptions import known_external_ids


def subscribe_to_contract(
    uow: UnitOfWork, request: NewSubscription, *, version: int | None = None, now: datetime, actor: str, reason: str
) -> SubscriptionId:
    """Write a subscription on the contract whose code is `request.plan`, in its newest version unless one is named.

    Each step of the ramp is an entry of the journal that lies ahead; one that has begun before the start is where the
    subscription begins. The term of the contract is the subscription's, unless the request has an end of its own.
    The same request again is answered with the id that it has.

    Raises:
        ContractNotFound: there is no such contract.
        ContractOfAnother: it is not the customer's.
        SubscriptionsRefused: see `subscribe`; or a step would cut a period of a commitment or a cap.
        ExternalIdTaken: another call has just written the external id; call again.
    """
    contract = find_contract(uow, request.plan, version=version)
    if contract.customer_id != request.customer_id:
        raise ContractOfAnother(f"the contract {contract.code!r} is another customer's", contract=contract.code)
    # The code alone would make the request for the next version of the contract the same one.
    asked = replace(request, plan=f"{contract.code} version {contract.version}")
    digest = request_digest(asked)
    known = known_external_ids(uow, [request.external_id] if request.external_id.isprintable() else [])
    if request.external_id in known:
        entry = known[request.external_id]
        if entry.request_digest != digest:
            raise _refused(asked, [Flaw("external_id", f"is {to_wire('sub', entry.id)}, made with other content")])
        return entry.id
    admitted, item, stages = _walked(uow, asked, contract, Recording(now, actor, reason))
    entries = _entries(admitted, item, stages)
    opening = Opening(replace(admitted.subscription, version=len(entries)), entries, digest)
    open_subscriptions(uow, [opening], now=now)
    return admitted.subscription.id


def steps_of(uow: UnitOfWork, contract: Contract) -> list[Step]:
    """Return the steps of a contract with their editions of the plan."""
    plans = plan_versions(uow, [step.plan_version_id for step in contract.steps])
    return [Step(step.start, plans[step.plan_version_id]) for step in contract.steps]


def _walked(
    uow: UnitOfWork, asked: NewSubscription, contract: Contract, recording: Recording
) -> tuple[Admitted, Item, list[Stage]]:
    """Return the subscription as it begins, its first item, and the steps that it comes to."""
    steps = steps_of(uow, contract)
    timezone = customer_timezones(uow, [asked.customer_id]).get(asked.customer_id)
    tenant = current_tenant(uow)

    def admitted_on(place: int, request: NewSubscription) -> tuple[Admitted, Item]:
        around = Surroundings(uow.tenant_id, tenant.profile, steps[place].plan, timezone)
        found, flaws = admit(request, around, recording)
        if request.prices:
            flaws = [*flaws, Flaw("prices", "a contract says its prices itself; amend it")]
        if found is None or flaws:
            raise _refused(request, flaws)
        return found, fold([found.change]).items[0]

    # Where a step begins hangs on the anchor, and that on what the request says, so it is admitted first.
    first, item = admitted_on(0, replace(asked, ends_at=None))
    ends_at = asked.ends_at
    if ends_at is None and contract.term_months is not None:
        ends_at = instant_after(contract.term_months, item, first.subscription)
    current = begun_by(steps, parse_instant(asked.starts_at), item, first.subscription)
    admitted, item = admitted_on(current, replace(asked, ends_at=ends_at))
    quantities = item.phases[0].terms.quantities
    stages, flaws = stages_ahead(
        steps, current, item, admitted.subscription, quantities=quantities, until=admitted.subscription.ends_at
    )
    if flaws:
        raise _refused(asked, flaws)
    return admitted, item, stages


def _entries(admitted: Admitted, item: Item, stages: list[Stage]) -> tuple[Change, ...]:
    first = admitted.change
    ahead = (
        replace(
            first,
            version=version,
            effective_at=stage.at,
            facts=stage.facts(item, item_id(admitted.subscription.id, version=version, now=first.recorded_at)),
        )
        for version, stage in enumerate(stages, start=2)
    )
    return (first, *ahead)


def _refused(request: NewSubscription, flaws: list[Flaw]) -> SubscriptionsRefused:
    return SubscriptionsRefused([Problem(0, request.external_id, flaw.field, flaw.message) for flaw in flaws])
