"""Subscribe customers to plans, many at once."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from psycopg.errors import UniqueViolation

from tenor.kernel.ids import CustomerId, SubscriptionId, to_wire
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import publish
from tenor.platform.tenants import current_tenant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import plan_versions_by_code
from tenor.subscriptions.errors import ExternalIdTaken, Problem, SubscriptionsRefused
from tenor.subscriptions.events import change_event
from tenor.subscriptions.model import NewSubscription, Recording, Subscription
from tenor.subscriptions.rules.admission import Admitted, Surroundings, admit, request_digest
from tenor.subscriptions.rules.moves import after_moves, calendar_moves
from tenor.subscriptions.rules.timeline import fold
from tenor.subscriptions.store.journal import append_changes
from tenor.subscriptions.store.moves import Moved, insert_moves
from tenor.subscriptions.store.positions import open_positions
from tenor.subscriptions.store.subscriptions import Known, insert_subscriptions, known_external_ids
from tenor.subscriptions.store.timeline import insert_items, insert_phases


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
    _write(uow, admitted, digests, Recording(now, actor, reason))
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
    plans = plan_versions_by_code(uow, _storable({request.plan for _, request in requests}), recording.now)
    timezones = _customer_timezones(uow, {request.customer_id for _, request in requests})
    admitted: list[Admitted] = []
    problems: list[Problem] = []
    for place, request in requests:
        around = Surroundings(
            tenant_id=uow.tenant_id,
            tenant_profile=tenant.profile,
            plan=plans.get(request.plan),
            customer_timezone=timezones.get(request.customer_id),
        )
        found, flaws = admit(request, around, recording)
        problems += [Problem(place, request.external_id, flaw.field, flaw.message) for flaw in flaws]
        if found is not None:
            admitted.append(found)
    return admitted, problems


def _customer_timezones(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> dict[CustomerId, str]:
    rows = uow.fetch_all("select id, timezone from customers where id = any(%s)", [list(customer_ids)])
    return {CustomerId(customer_id): timezone for customer_id, timezone in rows}


def _write(uow: UnitOfWork, admitted: Sequence[Admitted], digests: Mapping[str, bytes], recording: Recording) -> None:
    """Write the subscriptions in the state to which the calendar has brought them, with all that belongs to them."""
    now = recording.now
    moved = [_started(one.subscription, now) for one in admitted]
    items = [(one.subscription.id, item) for one in admitted for item in fold([one.change]).items]
    try:
        with uow.connection.transaction():
            insert_subscriptions(uow, ((one, digests[one.external_id]) for one, _ in moved), now=now)
    except UniqueViolation:
        raise ExternalIdTaken("another call has just written one of these external ids; call again") from None
    append_changes(uow, [(one.subscription.id, one.change) for one in admitted])
    insert_items(uow, items)
    insert_phases(uow, [(item.id, phase) for _, item in items for phase in item.phases], version=1)
    open_positions(uow, [(subscription_id, item.id, item.starts_at) for subscription_id, item in items])
    insert_moves(uow, moved, now=now)
    publish(uow, [change_event(one, first.change) for (one, _), first in zip(moved, admitted, strict=True)])
    record(uow, [_deed(one.subscription, recording) for one in moved])


def _started(subscription: Subscription, now: datetime) -> Moved:
    """Return a new subscription after what the calendar owes it by `now`."""
    moves = calendar_moves(subscription, through=now)
    return Moved(after_moves(subscription, moves), moves)


def _deed(subscription: Subscription, recording: Recording) -> Deed:
    return Deed(
        actor=recording.actor,
        action="subscription.subscribed",
        object_type="subscription",
        object_id=subscription.id,
        reason=recording.reason,
        occurred_at=recording.now,
        after={"version": subscription.version, "status": subscription.status.value},
    )
