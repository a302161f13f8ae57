"""Events as rows of parameters: what they are kept as, and which hours they are added to."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.kernel.ids import CustomerId
from tenor.metering.model import UsageEvent
from tenor.metering.rules.acceptance import (
    content_hash,
    identity_of,
    json_of,
    microseconds_of,
    row_id_bytes,
    stored_properties,
)
from tenor.metering.rules.readings import OPERATION, property_text
from tenor.metering.rules.series import MetricHours, Series, series_of, text_digest
from tenor.platform.unit_of_work import Row

EVENT_COLUMNS: Final = (
    ("position", "bigint"),
    ("cell", "bigint"),
    ("takes_out", "bigint"),
    ("into_hour", "bigint"),
    ("identity", "bytea"),
    ("content_hash", "bytea"),
    ("id", "uuid"),
    ("source", "text"),
    ("event_id", "text"),
    ("customer_id", "uuid"),
    ("subscription_id", "uuid"),
    ("metric_code", "text"),
    ("occurred_at", "timestamptz"),
    ("value", "numeric"),
    ("properties", "jsonb"),
)
"""An event as it is kept; its position and cell; in `takes_out` 1 or 0 where the metric asks for the last event, and in
`into_hour` the microseconds since its hour began where the metric asks how long its value was there."""

CELL_COLUMNS: Final = (
    ("cell", "bigint"),
    ("series_id", "uuid"),
    ("hour", "timestamptz"),
    ("key", "bytea"),
    ("carries", "bigint"),
)
"""A *cell* is what events are in that are added to the same hours: one row for each breakdown of their metric.

In `carries` 1 where their months are kept too, else 0.
"""

_HOUR_MICROSECONDS: Final = 3_600_000_000


Owner = tuple[CustomerId, str]
"""Whose usage of what: a customer and the code of a metric."""


class MeasuredEvent(NamedTuple):
    """A sound event, its place in what was sent, and the number that its metric measures."""

    position: int
    event: UsageEvent
    value: Decimal


class EncodedUsage(NamedTuple):
    """Rows of `EVENT_COLUMNS` and of `CELL_COLUMNS`, and the series that the cells name by their ids.

    `owners` says of each cell whose usage of what it is. `earliest` and `latest` are the first and last time of
    use, in microseconds since 1970; 0 without events.
    """

    events: list[Row]
    cells: list[Row]
    series: dict[bytes, Series]
    owners: list[Owner]
    earliest: int
    latest: int


def encode(
    measured: Sequence[MeasuredEvent],
    customers: Mapping[str, CustomerId],
    hours: Mapping[str, MetricHours],
    *,
    first_cell: int,
) -> EncodedUsage:
    """Return the rows of events whose customers are all in `customers`, by external id.

    `hours` says for each metric what its usage is added up by. Cells are numbered from `first_cell`.
    """
    events: list[Row] = []
    cells: list[Row] = []
    series: dict[bytes, Series] = {}
    owners: list[Owner] = []
    instants: list[int] = []
    numbers: dict[tuple[object, ...], int] = {}
    customer_bytes = {external_id: customer_id.bytes for external_id, customer_id in customers.items()}
    names_of = {code: metric.properties for code, metric in hours.items()}
    for position, event, value in measured:
        code, properties, source, event_id = event.metric_code or "", event.properties, event.source, event.event_id
        customer = customer_bytes[event.customer or ""]
        subscription = None if event.subscription_id is None else event.subscription_id.bytes
        metric, names = hours[code], names_of[code]
        identity = identity_of(source, event_id)
        microseconds = microseconds_of(event.occurred_at)
        hour = microseconds // _HOUR_MICROSECONDS
        texts = [held if type(held := properties.get(name)) is str else property_text(held) for name in names]
        place = (customer, code, hour, subscription, *texts)
        cell = numbers.get(place)
        if cell is None:
            cell = numbers[place] = first_cell + len(numbers)
            owners.append((customers[event.customer or ""], code))
            key = b"" if metric.key_field is None else text_digest(texts[names.index(metric.key_field)] or "")
            for one in series_of(customer, subscription, code, metric.breakdowns, names, tuple(texts)):
                series[one.id] = one
                cells.append((cell, one.id, hour * _HOUR_MICROSECONDS, key, int(metric.carries)))
        instants.append(microseconds)
        events.append(
            (
                position,
                cell,
                int(properties.get(OPERATION) == "remove") if metric.is_ordered else None,
                microseconds % _HOUR_MICROSECONDS if metric.is_timed else None,
                identity,
                content_hash(event),
                row_id_bytes(identity, microseconds),
                source,
                event_id,
                customer,
                subscription,
                code,
                microseconds,
                value,
                json_of(stored_properties(properties)),
            )
        )
    return EncodedUsage(events, cells, series, owners, min(instants, default=0), max(instants, default=0))
