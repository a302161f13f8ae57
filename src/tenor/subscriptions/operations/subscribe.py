"""Subscribe customers to plans, many at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from tenor.customers import customer_timezones
from tenor.kernel.ids import SubscriptionId, to_wire
from tenor.platform.tenants import current_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions_by_code, plans_sold
from tenor.subscriptions.errors import Problem, SubscriptionsRefused
from tenor.subscriptions.model import NewSubscription, Recording
from tenor.subscriptions.opening import Opening, open_subscriptions
from tenor.subscriptions.rules.admission import Admitted, Surroundings, admit, request_digest
from tenor.subscriptions.store.subscriptions import Known, known_external_ids


def subscribe(
    uow: UnitOfWork, requests: Sequence[NewSubscription], *, now: datetime, actor: str, reason: str
) -> list[SubscriptionId]:
    """Write every requested subscription and return their ids in the order of `requests`.

    All or nothing, in a number of statements that does not depend on how many there are. A request whose
    external id is known with the same content is answered with the id that it has, and writes nothing.
    What the calendar owes a start in the past (the start itself, the end of a trial) is made up for at once.

    Raises:
        SubscriptionsRefused: with every problem of every request: unknown plan, customer, zone or profile,
            quantities and prices that the plan does not have, instants without a zone or in a wrong order, an
            external id twice in this call or known with other content. Nothing was written.
        ExternalIdTaken: another call has just written one of the external ids; call again.
    """
    digests = {request.external_id: request_digest(request) for request in requests}
    known = known_external_ids(uow, _storable(digests))
    problems = [*_repeated(requests), *_known_otherwise(requests, known, digests)]
    fresh = [(place, request) for place, request in enumerate(requests) if request.external_id not in known]
    admitted, flaws = _admit_all(uow, fresh, Recording(now, actor, reason))
    if problems or flaws:
        raise SubscriptionsRefused(sorted([*problems, *flaws]))
    # Rows in the order of their ids lie in the order in which a bill run reads them later.
    admitted.sort(key=lambda one: one.subscription.id)
    openings = [Opening(one.subscription, (one.change,), digests[one.subscription.external_id]) for one in admitted]
    open_subscriptions(uow, openings, now=now)
    ids = {external_id: entry.id for external_id, entry in known.items()}
    ids |= {one.subscription.external_id: one.subscription.id for one in admitted}
    return [ids[request.external_id] for request in requests]


def _storable(texts: Iterable[str]) -> list[str]:
    """Leave out what no row can hold (a NUL, half a surrogate) and the database would not even be asked for."""
    return [text for text in texts if text.isprintable()]


def _repeated(requests: Sequence[NewSubscription]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for place, request in enumerate(requests):
        earlier = first.setdefault(request.external_id, place)
        if earlier != place:
            yield Problem(place, request.external_id, "external_id", f"is already that of request {earlier}")


def _known_otherwise(
    requests: Sequence[NewSubscription], known: Mapping[str, Known], digests: Mapping[str, bytes]
) -> Iterator[Problem]:
    for place, request in enumerate(requests):
        entry = known.get(request.external_id)
        if entry is not None and entry.request_digest != digests[request.external_id]:
            taken_by = to_wire("sub", entry.id)
            yield Problem(place, request.external_id, "external_id", f"is {taken_by}, made with other content")


def _admit_all(
    uow: UnitOfWork, requests: Sequence[tuple[int, NewSubscription]], recording: Recording
) -> tuple[list[Admitted], list[Problem]]:
    """Return what the requests, given with their places in the call, become, and everything that is wrong."""
    tenant = current_tenant(uow)
    wanted = {request.plan for _, request in requests}
    plans = plan_versions_by_code(uow, _storable(wanted), recording.now)
    sold = plans_sold(uow, recording.now) if wanted - plans.keys() else ()
    timezones = customer_timezones(uow, {request.customer_id for _, request in requests})
    admitted: list[Admitted] = []
    problems: list[Problem] = []
    for place, request in requests:
        around = Surroundings(
            tenant_id=uow.tenant_id,
            tenant_profile=tenant.profile,
            plan=plans.get(request.plan),
            customer_timezone=timezones.get(request.customer_id),
            sold=sold,
        )
        found, flaws = admit(request, around, recording)
        problems += [Problem(place, request.external_id, flaw.field, flaw.message) for flaw in flaws]
        if found is not None:
            admitted.append(found)
    return admitted, problems
