"""Events by the time of their arrival: those that came for a time before an instant."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec

from tenor.kernel.ids import CustomerId, SubscriptionId
from tenor.metering.model import UsageEvent
from tenor.platform.unit_of_work import UnitOfWork

_PROPERTIES: Final = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)


class Arrival(NamedTuple):
    """An event that was taken, the row it is kept as, and the number that its metric measured."""

    row_id: UUID
    customer_id: CustomerId
    event: UsageEvent
    value: Decimal


class Before(NamedTuple):
    """Usage of a customer by a metric that happened before an instant."""

    customer_id: CustomerId
    metric_code: str
    before: datetime


class EventName(NamedTuple):
    """What its sender calls an event."""

    source: str
    event_id: str


def names_of(uow: UnitOfWork, rows: Mapping[UUID, datetime]) -> dict[UUID, EventName]:
    """Return what the senders call the events of these rows, given with their times of use."""
    found = uow.fetch_all(
        """
        select e.id, e.source, e.event_id from unnest(%s::uuid[], %s::timestamptz[]) w (id, occurred_at)
        join usage_events e on e.id = w.id and e.occurred_at = w.occurred_at
        """,
        [list(rows), list(rows.values())],
    )
    return {row_id: EventName(*name) for row_id, *name in found}


def arrivals_of(uow: UnitOfWork, wanted: Sequence[Before], *, recorded_at: datetime) -> list[Arrival]:
    """Return the events that arrived at an instant for such a time and count as they came; one statement.

    What was corrected or cancelled is left out, and so is what counts in the place of another event.
    """
    rows = uow.fetch_all(
        """
        select e.id, e.customer_id, e.event_id, e.occurred_at, e.properties::text, e.source, e.metric_code,
               c.external_id, e.subscription_id, e.value
        from unnest(%s::uuid[], %s::text[], %s::timestamptz[]) w (customer_id, metric_code, before)
        join customers c on c.id = w.customer_id
        join usage_events e on e.customer_id = w.customer_id and e.metric_code = w.metric_code
            and e.occurred_at < w.before
        where e.recorded_at = %s
          and not exists (select from usage_corrections k where k.event_id = e.id or k.replacement_id = e.id)
        order by e.ordinal
        """,
        [
            [entry.customer_id for entry in wanted],
            [entry.metric_code for entry in wanted],
            [entry.before for entry in wanted],
            recorded_at,
        ],
    )
    return [arrival_of(*row) for row in rows]


def arrival_of(*row: Any) -> Arrival:
    """Return the arrival that a row of `arrivals_of` is."""
    row_id, customer_id, event_id, at, properties, source, metric, customer, subscription_id, value = row
    event = UsageEvent(
        event_id,
        at,
        _PROPERTIES.decode(properties),
        source,
        metric,
        customer,
        subscription_id=None if subscription_id is None else SubscriptionId(subscription_id),
    )
    return Arrival(row_id, CustomerId(customer_id), event, value)
