"""Events as rows of parameters: what they are kept as, and which hours they are added to."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tenor.kernel.ids import CustomerId
from tenor.metering.model import PropertyValue, UsageEvent
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
    ("event_id", "text"),
    ("occurred_at", "timestamptz"),
    ("value", "numeric"),
    ("properties", "jsonb"),
)
"""What is an event's own; its position and cell; in `takes_out` 1 or 0 where the metric asks for the last event, and in
`into_hour` the microseconds since its hour began where the metric asks how long its value was there."""

CELL_COLUMNS: Final = (
    ("cell", "bigint"),
    ("source", "text"),
    ("customer_id", "uuid"),
    ("subscription_id", "uuid"),
    ("metric_code", "text"),
    ("hour", "timestamptz"),
    ("key", "bytea"),
    ("carries", "bigint"),
)
"""A *cell* holds what events have in common that are added to the same hours: said once, not with each of them.

In `carries` 1 where their months are kept too, else 0.
"""

CELL_SERIES_COLUMNS: Final = (("cell", "bigint"), ("series_id", "uuid"))
"""The series that a cell is added to: one for each breakdown of its metric."""

_HOUR_MICROSECONDS: Final = 3_600_000_000


Owner = tuple[CustomerId, str]
"""Whose usage of what: a customer and the code of a metric."""


class MeasuredEvent(NamedTuple):
    """A sound event, its place in what was sent, and the number that its metric measures."""

    position: int
    event: UsageEvent
    value: Decimal


class EncodedUsage(NamedTuple):
    """Columns of `EVENT_COLUMNS`, rows of `CELL_COLUMNS` and `CELL_SERIES_COLUMNS`, and the series, by their ids.

    `owners` says of each cell whose usage of what it is. `earliest` and `latest` are the first and last time of
    use, in microseconds since 1970.
    """

    events: tuple[Sequence[Any], ...]
    cells: list[Row]
    cell_series: list[Row]
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
    """Return the rows of events, of which there are some, whose customers are all in `customers`, by external id.

    `hours` says for each metric what its usage is added up by. Cells are numbered from `first_cell`.
    """
    positions, events, values = zip(*measured, strict=True)
    ids, instants, said, sources, codes, names, _, subscriptions, _ = zip(*events, strict=True)
    times = list(map(microseconds_of, instants))
    identities = list(map(identity_of, sources, ids))
    metrics = [hours[code] for code in codes]
    cells: dict[_Common, int] = {}
    deciding = {code: metric.properties for code, metric in hours.items()}
    placed = [
        cells.setdefault(
            (source, name, subscription, code, time // _HOUR_MICROSECONDS, *_texts(properties, deciding[code])),
            first_cell + len(cells),
        )
        for source, name, subscription, code, time, properties in zip(
            sources, names, subscriptions, codes, times, said, strict=True
        )
    ]
    columns = (
        positions,
        placed,
        [
            _takes_out(properties) if metric.is_ordered else None
            for metric, properties in zip(metrics, said, strict=True)
        ],
        [time % _HOUR_MICROSECONDS if metric.is_timed else None for metric, time in zip(metrics, times, strict=True)],
        identities,
        list(map(content_hash, events)),
        list(map(row_id_bytes, identities, times)),
        ids,
        times,
        values,
        [json_of(stored_properties(properties)) for properties in said],
    )
    return EncodedUsage(columns, *_encoded_cells(cells, customers, hours), min(times), max(times))


def _texts(properties: Mapping[str, PropertyValue], names: Iterable[str]) -> list[str | None]:
    return [held if type(held := properties.get(name)) is str else property_text(held) for name in names]


def _takes_out(properties: Mapping[str, PropertyValue]) -> int:
    return int(properties.get(OPERATION) == "remove")


_Common = tuple[Any, ...]
"""Source, customer, subscription, metric and hour of events, and what they say that decides about their series."""


def _encoded_cells(
    cells: Mapping[_Common, int], customers: Mapping[str, CustomerId], hours: Mapping[str, MetricHours]
) -> tuple[list[Row], list[Row], dict[bytes, Series], list[Owner]]:
    """Return the rows of cells and of their series, the series by their ids, and the owner of each cell."""
    rows: list[Row] = []
    cell_series: list[Row] = []
    series: dict[bytes, Series] = {}
    owners: list[Owner] = []
    for (source, customer, subscription_id, code, hour, *texts), cell in cells.items():
        metric, customer_id = hours[code], customers[customer]
        names = metric.properties
        subscription = None if subscription_id is None else subscription_id.bytes
        key = b"" if metric.key_field is None else text_digest(texts[names.index(metric.key_field)] or "")
        begins = hour * _HOUR_MICROSECONDS
        rows.append((cell, source, customer_id.bytes, subscription, code, begins, key, int(metric.carries)))
        owners.append((customer_id, code))
        for one in series_of(customer_id.bytes, subscription, code, metric.breakdowns, names, tuple(texts)):
            series[one.id] = one
            cell_series.append((cell, one.id))
    return rows, cell_series, series, owners
