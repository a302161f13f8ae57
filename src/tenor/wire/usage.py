"""Usage as JSON: what became of a batch, and what was used."""

from collections.abc import Mapping

from typing_extensions import TypedDict

from tenor.kernel.ids import to_wire
from tenor.kernel.period import Period
from tenor.kernel.quantity import plain
from tenor.metering import Aggregate, DimensionValues, KeptRejection
from tenor.wire.forms import DecimalText, Instant, instant


class RefusedEventJson(TypedDict):
    """An event that could not be taken: its place in the batch, the part that is wrong, and why."""

    position: int
    field: str
    reason: str


class UsageReceiptJson(TypedDict):
    """What became of a batch. Positions count from 0; every event is in exactly one of the four.

    A duplicate was taken before with the same content, a conflict with another one, which stays.
    """

    accepted: int
    duplicates: list[int]
    conflicts: list[int]
    rejected: list[RefusedEventJson]


class AmendedUsageJson(TypedDict):
    """What became of corrections or cancellations, by their positions."""

    amended: list[int]
    unchanged: list[int]
    rejected: list[RefusedEventJson]


class UsedJson(TypedDict):
    """What was used, for one combination of the properties that were asked for; `units` null: nothing was measured."""

    dimensions: dict[str, str | None]
    units: DecimalText | None
    events: int


class CurrentUsageJson(TypedDict):
    """What a customer has used of a metric; the start belongs to it, the end does not."""

    since: Instant
    until: Instant
    usage: list[UsedJson]


class RejectionJson(TypedDict):
    """An event that could not be taken, as it was sent, until a replay takes it."""

    id: str
    payload: str
    field: str
    reason: str
    first_at: Instant
    last_at: Instant
    times: int
    settled_at: Instant | None


def usage_json(
    period: Period, names: tuple[str, ...], numbers: Mapping[DimensionValues, Aggregate]
) -> CurrentUsageJson:
    """Return what was used in a period, by the values of the named properties."""
    return CurrentUsageJson(
        since=instant(period.start),
        until=instant(period.end),
        usage=[
            UsedJson(
                dimensions=dict(zip(names, values, strict=True)),
                units=None if number.value is None else plain(number.value),
                events=number.event_count,
            )
            for values, number in sorted(numbers.items())
        ],
    )


def rejection_json(kept: KeptRejection) -> RejectionJson:
    """Return an event that could not be taken."""
    return RejectionJson(
        id=to_wire("rej", kept.id),
        payload=kept.payload,
        field=kept.field,
        reason=kept.reason,
        first_at=instant(kept.first_at),
        last_at=instant(kept.last_at),
        times=kept.times,
        settled_at=instant(kept.settled_at),
    )
