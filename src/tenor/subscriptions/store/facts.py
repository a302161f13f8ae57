"""JSON of the journal's facts and of terms: the form in which they are kept for ever.

Decimals are plain text ('2.5'), instants ISO 8601 in UTC, ids UUIDs. What has been written must stay readable:
a new fact is a new key with a default, never a key with another meaning.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from tenor.kernel.ids import ItemId, PlanVersionId
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import plain
from tenor.subscriptions.model import (
    Cancelled,
    ChangeKind,
    Facts,
    PlanChanged,
    QuantityChanged,
    Subscribed,
    Terms,
)

Json = dict[str, Any]


def kind_of(facts: Facts) -> ChangeKind:
    """Return the kind under which the journal keeps `facts`."""
    match facts:
        case Subscribed():
            return ChangeKind.SUBSCRIBED
        case PlanChanged():
            return ChangeKind.PLAN_CHANGED
        case QuantityChanged():
            return ChangeKind.QUANTITY_CHANGED
        case Cancelled():
            return ChangeKind.CANCELLED


def facts_to_json(facts: Facts) -> Json:
    """Return `facts` as the journal keeps them."""
    match facts:
        case Subscribed():
            return {
                "item_id": str(facts.item_id),
                "plan_version_id": str(facts.plan_version_id),
                "anchor_at": format_instant(facts.anchor_at),
                "terms": terms_to_json(facts.terms),
                "discount_percent": plain(facts.discount_percent),
                "trial_ends_at": _optional_text(facts.trial_ends_at),
                "trial_converts": facts.trial_converts,
                "ends_at": _optional_text(facts.ends_at),
            }
        case PlanChanged():
            return {
                "item_id": str(facts.item_id),
                "plan_version_id": str(facts.plan_version_id),
                "anchor_at": format_instant(facts.anchor_at),
                "terms": terms_to_json(facts.terms),
            }
        case QuantityChanged():
            return {"quantities": _decimals_to_json(facts.quantities)}
        case Cancelled():
            return {}


def facts_from_json(kind: ChangeKind, json: Json) -> Facts:
    """Return the facts that the journal keeps under `kind` as `json`."""
    match kind:
        case ChangeKind.SUBSCRIBED:
            return Subscribed(
                item_id=ItemId(UUID(json["item_id"])),
                plan_version_id=PlanVersionId(UUID(json["plan_version_id"])),
                anchor_at=parse_instant(json["anchor_at"]),
                terms=terms_from_json(json["terms"]),
                discount_percent=Decimal(json["discount_percent"]),
                trial_ends_at=_optional_instant(json["trial_ends_at"]),
                trial_converts=json["trial_converts"],
                ends_at=_optional_instant(json["ends_at"]),
            )
        case ChangeKind.PLAN_CHANGED:
            return PlanChanged(
                item_id=ItemId(UUID(json["item_id"])),
                plan_version_id=PlanVersionId(UUID(json["plan_version_id"])),
                anchor_at=parse_instant(json["anchor_at"]),
                terms=terms_from_json(json["terms"]),
            )
        case ChangeKind.QUANTITY_CHANGED:
            return QuantityChanged(_decimals_from_json(json["quantities"]))
        case ChangeKind.CANCELLED:
            return Cancelled()


def terms_to_json(terms: Terms) -> Json:
    """Return `terms` as phases and the journal keep them."""
    return {"quantities": _decimals_to_json(terms.quantities), "prices": _decimals_to_json(terms.prices)}


def terms_from_json(json: Json) -> Terms:
    """Return the terms that are kept as `json`."""
    return Terms(_decimals_from_json(json["quantities"]), _decimals_from_json(json["prices"]))


@lru_cache(maxsize=16_384)
def terms_from_text(text: str) -> Terms:
    """Return the terms that a jsonb column holds as `text`.

    Remembered by the text, for many subscriptions agree on the same: the result is shared and read-only.
    """
    return terms_from_json(msgspec.json.decode(text))


def _decimals_to_json(values: Mapping[str, Decimal]) -> dict[str, str]:
    return {code: plain(value) for code, value in values.items()}


def _decimals_from_json(values: Mapping[str, str]) -> dict[str, Decimal]:
    return {code: Decimal(value) for code, value in values.items()}


def _optional_text(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
