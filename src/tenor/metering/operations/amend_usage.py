"""Amend usage: correct or cancel events that were taken, by their source and id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tenor.customers import customer_ids
from tenor.kernel.ids import CustomerId
from tenor.metering.home import store_of
from tenor.metering.model import Amendment, Metric, UsageEvent
from tenor.metering.operations.record_usage import Rejection, measure
from tenor.metering.queries import find_metrics
from tenor.metering.rules.acceptance import (
    UnacceptableEvent,
    content_hash,
    identity_of,
    require_acceptable,
    row_id_of,
)
from tenor.metering.rules.forms import payload_of
from tenor.metering.store.amendments import (
    Removal,
    Replacement,
    TakenEvent,
    taken_events,
)
from tenor.metering.store.hours import lock_hours
from tenor.metering.store.ingest import TouchedUsage
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class AmendmentReceipt:
    """What became of amendments, by their positions; each is in exactly one of the three. See `TouchedUsage`."""

    amended: tuple[int, ...]
    unchanged: tuple[int, ...]
    rejected: tuple[Rejection, ...]
    touched: tuple[TouchedUsage, ...]


def amend_usage(
    uow: UnitOfWork, amendments: Sequence[Amendment], *, now: datetime, actor: str, reason: str
) -> AmendmentReceipt:
    """Have other events count in the place of ones that were taken, or none where one is cancelled.

    Nothing is changed or lost: the events stay, with a fact that says which of them counts. What is amended
    already as asked is unchanged, so that a call may be repeated. An event that was never taken, or was
    cancelled before, or a replacement that is not acceptable is rejected and keeps no other from being amended.
    Nobody else can write usage of the tenant until the transaction ends. A few statements, however many.
    """
    wanted = {amendment.replacement.customer or "" for amendment in amendments if amendment.replacement}
    metrics, customers = find_metrics(uow), customer_ids(uow, wanted)
    lock_hours(uow)
    identities = [identity_of(amendment.source, amendment.event_id) for amendment in amendments]
    taken = taken_events(uow, identities)
    removals: dict[bytes, Removal] = {}
    positions: dict[str, list[int]] = {"amended": [], "unchanged": []}
    rejected: list[Rejection] = []
    for position, (identity, amendment) in enumerate(zip(identities, amendments, strict=True)):
        try:
            if identity in removals:
                raise UnacceptableEvent("event_id", f"{amendment.event_id!r} is amended twice in one call")
            removal = _removal(identity, amendment, taken.get(identity), metrics, customers, now)
        except UnacceptableEvent as error:
            payload = "" if amendment.replacement is None else payload_of(amendment.replacement)
            rejected.append(Rejection(position, error.field, error.message, payload))
            continue
        if removal is not None:
            removals[identity] = removal
        positions["unchanged" if removal is None else "amended"].append(position)
    return AmendmentReceipt(
        amended=tuple(positions["amended"]),
        unchanged=tuple(positions["unchanged"]),
        rejected=tuple(rejected),
        touched=_carry_out(uow, list(removals.values()), now=now, actor=actor, reason=reason),
    )


def _removal(
    identity: bytes,
    amendment: Amendment,
    taken: TakenEvent | None,
    metrics: Mapping[str, Metric],
    customers: Mapping[str, CustomerId],
    now: datetime,
) -> Removal | None:
    """Return what an amendment takes out and puts in; None when it stands already as asked."""
    if taken is None:
        raise UnacceptableEvent("event_id", f"no event {amendment.event_id!r} of {amendment.source!r} was ever taken")
    first = UsageEvent(amendment.event_id, taken.occurred_at, source=amendment.source)
    standing = taken.replacement_id if taken.revision else row_id_of(first)
    replacement = amendment.replacement
    if replacement is None:
        return None if standing is None else Removal(identity, taken.revision + 1, standing, None)
    if standing is None:
        raise UnacceptableEvent("event_id", f"{amendment.event_id!r} was cancelled and cannot be corrected any more")
    if identity_of(replacement.source, replacement.event_id) != identity:
        raise UnacceptableEvent("event_id", f"{replacement.event_id!r} is another event than {amendment.event_id!r}")
    require_acceptable(replacement, now=now)
    value = measure(replacement, metrics)
    customer_id = customers.get(replacement.customer or "")
    if customer_id is None:
        raise UnacceptableEvent("customer", f"there is no customer {replacement.customer!r}")
    if content_hash(replacement) == taken.content_hash:
        return None
    return Removal(identity, taken.revision + 1, standing, Replacement(replacement, customer_id, value))


def _carry_out(
    uow: UnitOfWork, removals: Sequence[Removal], *, now: datetime, actor: str, reason: str
) -> tuple[TouchedUsage, ...]:
    if not removals:
        return ()
    usage = store_of(uow).amend(uow, removals, recorded_at=now, actor=actor, reason=reason)
    _tell(uow, removals, now=now, actor=actor, reason=reason)
    earliest: dict[tuple[CustomerId, str], datetime] = {}
    for customer_id, metric_code, occurred_at in usage:
        key = (customer_id, metric_code)
        earliest[key] = min(occurred_at, earliest.get(key, occurred_at))
    return tuple(TouchedUsage(*key, instant) for key, instant in earliest.items())


def _tell(uow: UnitOfWork, removals: Sequence[Removal], *, now: datetime, actor: str, reason: str) -> None:
    deeds, events = [], []
    for removal in removals:
        deed = f"usage_event.{'cancelled' if removal.replacement is None else 'corrected'}"
        facts = {"revision": removal.revision}
        deeds.append(Deed(actor, deed, "usage_event", removal.row_id, reason, now, after=facts))
        events.append(Event(deed, removal.row_id, facts, now))
    record(uow, deeds)
    publish(uow, events)
