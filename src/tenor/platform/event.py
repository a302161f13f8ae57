"""Event: something that happened to an object, as the outbox keeps it and subscribers are told it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object. `type` is 'object.past', e.g. `invoice.finalised`.

    `payload` is what `msgspec.json.encode` takes: amounts as integers of minor units, decimals become text.
    """

    type: str
    object_id: UUID
    payload: Mapping[str, object]
    occurred_at: datetime
