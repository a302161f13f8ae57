"""Series: whose usage of what is added up together, and under which id."""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple
from uuid import UUID

from tenor.kernel.ids import CustomerId, SubscriptionId

_DIGEST_BYTES: Final = 16
_QUOTED: Final = re.compile(r'[{},"\\ \t\n\r\v\f]')


class Series(NamedTuple):
    """The usage of one customer (and subscription, where events name one) by values of the dimensions.

    A value is a text, "" for an absent property. `id` follows from all the rest.
    """

    id: bytes
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    metric_code: str
    dimensions: tuple[str, ...]
    dimension_values: tuple[str, ...]


class MetricHours(NamedTuple):
    """What the usage of a metric is added up by: sets of dimensions, the empty one among them.

    `key_field` is the property whose values a unique count tells apart; `is_ordered` that the metric asks
    which event was the last, `is_timed` for how long each value was there; `carries` that it bears on later periods.
    """

    key_field: str | None
    is_ordered: bool
    is_timed: bool
    carries: bool
    breakdowns: tuple[tuple[str, ...], ...]

    @property
    def properties(self) -> tuple[str, ...]:
        """The names of all properties that decide to which hours an event is added."""
        names = {name for dimensions in self.breakdowns for name in dimensions}
        return tuple(sorted(names if self.key_field is None else names | {self.key_field}))


@lru_cache(maxsize=20_000)
def series_of(
    customer: bytes,
    subscription: bytes | None,
    metric_code: str,
    breakdowns: tuple[tuple[str, ...], ...],
    names: tuple[str, ...],
    texts: tuple[str | None, ...],
) -> tuple[Series, ...]:
    """Return the series of each breakdown that an event belongs to whose properties `names` are `texts`.

    `customer` and `subscription` are the bytes of their ids.
    """
    said = dict(zip(names, texts, strict=True))
    customer_id = CustomerId(UUID(bytes=customer))
    subscription_id = None if subscription is None else SubscriptionId(UUID(bytes=subscription))
    found = []
    for dimensions in breakdowns:
        values = tuple([said[name] or "" for name in dimensions])
        series_id = _series_id(customer_id, subscription_id, metric_code, dimensions, values)
        found.append(Series(series_id, customer_id, subscription_id, metric_code, dimensions, values))
    return tuple(found)


def text_digest(text: str) -> bytes:
    """Return the 16 bytes that stand for a text; the statements of the hours work it out in SQL as well."""
    return hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]


def _series_id(customer_id: UUID, subscription_id: UUID | None, *texts: str | tuple[str, ...]) -> bytes:
    """Return the id of a series; the statements of the hours work it out in SQL as well."""
    parts = [str(customer_id), "" if subscription_id is None else str(subscription_id)]
    parts += [text if isinstance(text, str) else array_text(text) for text in texts]
    return text_digest("\x1f".join(parts))


def array_text(texts: Iterable[str]) -> str:
    """Return texts in the way PostgreSQL writes a `text[]`."""
    return f"{{{','.join(map(_element, texts))}}}"


def _element(text: str) -> str:
    if text and not _QUOTED.search(text) and text.upper() != "NULL":
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
