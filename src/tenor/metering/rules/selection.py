"""Selection: which events are one, and which of them a question is about."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from tenor.kernel.errors import Malformed
from tenor.metering.model import UsageEvent
from tenor.metering.rules.readings import property_text

Allowed = Mapping[str, Set[str | None]]
"""Property → the texts it may have; None among them allows the property to be absent."""

_KEY_PARTS: Final[Mapping[str, Callable[[UsageEvent], object]]] = MappingProxyType(
    {
        "id": lambda event: event.event_id,
        "at": lambda event: event.occurred_at,
        "source": lambda event: event.source,
        "subject": lambda event: event.subject,
        "customer": lambda event: event.customer,
        "code": lambda event: event.metric_code,
        "namespace": lambda _: None,  # one tenant's events are all in one namespace
    }
)


class UnknownDedupKey(Malformed):
    """A part of a deduplication key that events do not have."""

    code = "unknown_dedup_key"


class Bounds(NamedTuple):
    """Limits on an instant; None does not limit."""

    gt: datetime | None = None
    gte: datetime | None = None
    lt: datetime | None = None
    lte: datetime | None = None

    def hold(self, instant: datetime) -> bool:
        """Whether `instant` lies within all limits."""
        return (
            (self.gt is None or instant > self.gt)
            and (self.gte is None or instant >= self.gte)
            and (self.lt is None or instant < self.lt)
            and (self.lte is None or instant <= self.lte)
        )


UNBOUNDED: Final = Bounds()


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a question is about; what is left at its default does not restrict.

    An event that meets every property of one entry of `exclude` is out. Of `any_of`, where there are
    some, at least one must pass too.
    """

    metric_code: str | None = None
    customer: str | None = None
    subjects: Set[str] | None = None
    match: Allowed = field(default_factory=dict)
    exclude: Sequence[Allowed] = ()
    recorded: Bounds = UNBOUNDED
    any_of: Sequence["EventFilter"] = ()

    def passes(self, event: UsageEvent) -> bool:
        """Whether the question is about `event`."""
        return (
            (self.metric_code is None or event.metric_code == self.metric_code)
            and (self.customer is None or event.customer == self.customer)
            and (self.subjects is None or event.subject in self.subjects)
            and self.recorded.hold(event.recorded_at or event.occurred_at)
            and _meets(event, self.match)
            and not any(_meets(event, entry) for entry in map(_restricting, self.exclude) if entry)
            and (not self.any_of or any(alternative.passes(event) for alternative in self.any_of))
        )


def deduplicate(
    events: Iterable[UsageEvent], *, key: Sequence[str], keep: Literal["first", "last"]
) -> list[UsageEvent]:
    """Return one event for each value of `key`: the first or the last one in the order of storage.

    Raises:
        UnknownDedupKey: a part of `key` that no event has.
    """
    unknown = [part for part in key if part not in _KEY_PARTS]
    if unknown:
        raise UnknownDedupKey(f"events cannot be told apart by {', '.join(map(repr, unknown))}")
    parts = [_KEY_PARTS[part] for part in key]
    kept: dict[tuple[object, ...], UsageEvent] = {}
    for event in events:
        identity = tuple(part(event) for part in parts)
        if keep == "last" or identity not in kept:
            kept.pop(identity, None)  # so that the one kept also stands where it was stored
            kept[identity] = event
    return list(kept.values())


def _meets(event: UsageEvent, allowed: Allowed) -> bool:
    return all(property_text(event.properties.get(name)) in texts for name, texts in allowed.items())


def _restricting(entry: Allowed) -> Allowed:
    """Leave out the properties of an exclusion for which nothing is listed: they say nothing."""
    return {name: texts for name, texts in entry.items() if texts}
