"""JSON of the journal's facts and of terms: the form in which they are kept for ever.

Decimals are plain text ('2.5'), instants ISO 8601 in UTC, ids UUIDs. What has been written must stay readable:
a new fact is a new key with a default, never a key with another meaning.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec

from tenor.kernel.ids import DiscountId, ItemId, PlanVersionId, SubscriptionId
from tenor.kernel.period import format_instant, parse_instant
from tenor.kernel.quantity import plain
from tenor.pricing.discounts.model import Discount
from tenor.subscriptions.model import (
    AddOnAdded,
    AddOnRemoved,
    AnchorMoved,
    BillingDate,
    Cancelled,
    ChangeKind,
    Closing,
    DiscountApplied,
    DiscountRemoved,
    Facts,
    Paused,
    PlanChanged,
    PricesChanged,
    QuantityChanged,
    Reopened,
    Resumed,
    Subscribed,
    TermChanged,
    Terms,
    TrialChanged,
    Undone,
)

Json = dict[str, Any]


_KINDS: Final[Mapping[type[Facts], ChangeKind]] = MappingProxyType(
    {
        Subscribed: ChangeKind.SUBSCRIBED,
        PlanChanged: ChangeKind.PLAN_CHANGED,
        QuantityChanged: ChangeKind.QUANTITY_CHANGED,
        PricesChanged: ChangeKind.PRICES_CHANGED,
        AddOnAdded: ChangeKind.ADD_ON_ADDED,
        AddOnRemoved: ChangeKind.ADD_ON_REMOVED,
        Paused: ChangeKind.PAUSED,
        Resumed: ChangeKind.RESUMED,
        TrialChanged: ChangeKind.TRIAL_CHANGED,
        AnchorMoved: ChangeKind.ANCHOR_MOVED,
        TermChanged: ChangeKind.TERM_CHANGED,
        Cancelled: ChangeKind.CANCELLED,
        DiscountApplied: ChangeKind.DISCOUNT_APPLIED,
        DiscountRemoved: ChangeKind.DISCOUNT_REMOVED,
        Undone: ChangeKind.UNDONE,
    }
)


def kind_of(facts: Facts) -> ChangeKind:
    """Return the kind under which the journal keeps `facts`."""
    return _KINDS[type(facts)]


def facts_to_json(facts: Facts) -> Json:
    """Return `facts` as the journal keeps them."""
    match facts:
        case Subscribed():
            return {
                **_opened_to_json(facts),
                "discount_percent": plain(facts.discount_percent),
                "trial_ends_at": _optional_text(facts.trial_ends_at),
                "trial_converts": facts.trial_converts,
                "ends_at": _optional_text(facts.ends_at),
                "transferred_from": _optional_id(facts.transferred_from),
            }
        case PlanChanged():
            return {
                **_opened_to_json(facts),
                "closing": facts.closing.value,
                "replaces": _optional_id(facts.replaces),
                "follows": _optional_id(facts.follows),
            }
        case AddOnAdded():
            return _opened_to_json(facts)
        case QuantityChanged():
            return {"quantities": _decimals_to_json(facts.quantities), "item_id": _optional_id(facts.item_id)}
        case PricesChanged():
            prices = {code: None if price is None else plain(price) for code, price in facts.prices.items()}
            return {"prices": prices, "item_id": _optional_id(facts.item_id)}
        case AddOnRemoved():
            return {"item_id": str(facts.item_id), "closing": facts.closing.value}
        case Paused():
            return {
                "closing": facts.closing.value,
                "billing_date": facts.billing_date.value,
                "extends_term": facts.extends_term,
            }
        case Resumed() | AnchorMoved():
            return {"reopened": _reopened_to_json(facts.reopened)}
        case TrialChanged():
            return {
                "trial_ends_at": format_instant(facts.trial_ends_at),
                "reopened": _reopened_to_json(facts.reopened),
            }
        case TermChanged():
            return {"ends_at": _optional_text(facts.ends_at), "pause_version": facts.pause_version}
        case Cancelled():
            return {"closing": facts.closing.value, "transferred_to": _optional_id(facts.transferred_to)}
        case DiscountApplied():
            return {"discount": facts.discount.to_json()}
        case DiscountRemoved():
            return {"discount_id": str(facts.discount_id)}
        case Undone():
            return {"version": facts.version}


def facts_from_json(kind: ChangeKind, json: Json) -> Facts:
    """Return the facts that the journal keeps under `kind` as `json`.

    A key that an entry does not have was not thought of when it was written: its default says what was meant.
    """
    match kind:
        case ChangeKind.SUBSCRIBED:
            return Subscribed(
                **_opened_from_json(json),
                discount_percent=Decimal(json["discount_percent"]),
                trial_ends_at=_optional_instant(json["trial_ends_at"]),
                trial_converts=json["trial_converts"],
                ends_at=_optional_instant(json["ends_at"]),
                transferred_from=_optional_subscription(json.get("transferred_from")),
            )
        case ChangeKind.PLAN_CHANGED:
            return PlanChanged(
                **_opened_from_json(json),
                closing=_closing(json),
                replaces=_optional_item(json.get("replaces")),
                follows=_optional_plan_version(json.get("follows")),
            )
        case ChangeKind.ADD_ON_ADDED:
            return AddOnAdded(**_opened_from_json(json))
        case ChangeKind.QUANTITY_CHANGED:
            return QuantityChanged(_decimals_from_json(json["quantities"]), _optional_item(json.get("item_id")))
        case ChangeKind.PRICES_CHANGED:
            prices = {code: None if price is None else Decimal(price) for code, price in json["prices"].items()}
            return PricesChanged(prices, _optional_item(json["item_id"]))
        case ChangeKind.ADD_ON_REMOVED:
            return AddOnRemoved(ItemId(UUID(json["item_id"])), _closing(json))
        case ChangeKind.PAUSED:
            return Paused(_closing(json), BillingDate(json["billing_date"]), json["extends_term"])
        case ChangeKind.RESUMED:
            return Resumed(_reopened_from_json(json))
        case ChangeKind.ANCHOR_MOVED:
            return AnchorMoved(_reopened_from_json(json))
        case ChangeKind.TRIAL_CHANGED:
            return TrialChanged(parse_instant(json["trial_ends_at"]), _reopened_from_json(json))
        case ChangeKind.TERM_CHANGED:
            return TermChanged(_optional_instant(json["ends_at"]), json["pause_version"])
        case ChangeKind.CANCELLED:
            return Cancelled(_closing(json), _optional_subscription(json.get("transferred_to")))
        case ChangeKind.DISCOUNT_APPLIED:
            return DiscountApplied(Discount.from_json(json["discount"]))
        case ChangeKind.DISCOUNT_REMOVED:
            return DiscountRemoved(DiscountId(UUID(json["discount_id"])))
        case ChangeKind.UNDONE:
            return Undone(json["version"])


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


@lru_cache(maxsize=16_384)
def discount_from_text(text: str) -> Discount:
    """Return the discount that a jsonb column holds as `text`, remembered by it."""
    return Discount.from_json(msgspec.json.decode(text))


def _opened_to_json(facts: Subscribed | PlanChanged | AddOnAdded) -> Json:
    """Return what every entry that opens an item says of it."""
    return {
        "item_id": str(facts.item_id),
        "plan_version_id": str(facts.plan_version_id),
        "anchor_at": format_instant(facts.anchor_at),
        "terms": terms_to_json(facts.terms),
    }


def _opened_from_json(json: Json) -> dict[str, Any]:
    return {
        "item_id": ItemId(UUID(json["item_id"])),
        "plan_version_id": PlanVersionId(UUID(json["plan_version_id"])),
        "anchor_at": parse_instant(json["anchor_at"]),
        "terms": terms_from_json(json["terms"]),
    }


def _reopened_to_json(reopened: Sequence[Reopened]) -> list[Json]:
    return [
        {
            "replaces": str(one.replaces),
            "item_id": str(one.item_id),
            "anchor_at": format_instant(one.anchor_at),
            "billable_from": _optional_text(one.billable_from),
        }
        for one in reopened
    ]


def _reopened_from_json(json: Json) -> tuple[Reopened, ...]:
    return tuple(
        Reopened(
            replaces=ItemId(UUID(one["replaces"])),
            item_id=ItemId(UUID(one["item_id"])),
            anchor_at=parse_instant(one["anchor_at"]),
            billable_from=_optional_instant(one["billable_from"]),
        )
        for one in json["reopened"]
    )


def _closing(json: Json) -> Closing:
    return Closing(json.get("closing", Closing.PRORATED))


def _optional_id(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _optional_item(text: str | None) -> ItemId | None:
    return None if text is None else ItemId(UUID(text))


def _optional_plan_version(text: str | None) -> PlanVersionId | None:
    return None if text is None else PlanVersionId(UUID(text))


def _optional_subscription(text: str | None) -> SubscriptionId | None:
    return None if text is None else SubscriptionId(UUID(text))


def _decimals_to_json(values: Mapping[str, Decimal]) -> dict[str, str]:
    return {code: plain(value) for code, value in values.items()}


def _decimals_from_json(values: Mapping[str, str]) -> dict[str, Decimal]:
    return {code: Decimal(value) for code, value in values.items()}


def _optional_text(instant: datetime | None) -> str | None:
    return None if instant is None else format_instant(instant)


def _optional_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)
