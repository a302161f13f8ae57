"""The definition of a plan: the JSON that a plan version is stored, compared, hashed and rebuilt as.

It is canonical (sorted keys, decimals as text without trailing zeros, intervals as `{"month": 3}`), so that
one meaning has one text. All that decides an amount is in a `PlanVersionRecord`; its hash proves it.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from tenor.catalog.model import Condition, Filter
from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.ids import ChargeId, CustomerId, PlanVersionId, derived_id
from tenor.kernel.period import format_instant
from tenor.pricing.charges import from_json
from tenor.pricing.model import (
    STANDARD_TAX_CATEGORY,
    Charge,
    ChargeKind,
    PlanCredit,
    PlanVersion,
    SeatCounting,
    TaxMode,
    Timing,
)
from tenor.pricing.thresholds import thresholds_from_json

Definition = Mapping[str, Any]
"""`interval`, `trial_days`, `features` (code → limit or null), `charges` (a list of charge bodies), perhaps `profile`,
`credits` (code → body) and `usage_thresholds`.

What came later than the first definitions is written only where it deviates from its default, so that the
definitions of then have the text, and the hash, that they have always had.
"""


class PlanVersionRecord(NamedTuple):
    """A plan version as the database keeps it. The charges' ids follow from it; see `charge_id`.

    `customer_id` is set where a contract sells it to one customer alone.
    """

    id: PlanVersionId
    plan: str
    version: int
    name: str
    product: str
    price_book: str
    price_book_version: int
    currency: str
    tax_mode: TaxMode
    effective_at: datetime
    definition: Definition
    customer_id: CustomerId | None = None


def canonical_digest(body: object) -> bytes:
    """Return the SHA-256 of the canonical JSON text of `body`, which holds no floats."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).digest()


def content_hash(record: PlanVersionRecord) -> bytes:
    """Return the hash over every field of `record`; one that is sold to anybody has no customer in it."""
    body = {**record._asdict(), "id": str(record.id), "effective_at": format_instant(record.effective_at)}
    customer_id = body.pop("customer_id")
    return canonical_digest(body if customer_id is None else {**body, "customer_id": str(customer_id)})


def charge_id(record: PlanVersionRecord, code: str) -> ChargeId:
    """Return the id of the charge `code` of a plan version: it follows from the version's id and the code."""
    return ChargeId(derived_id(record.effective_at, b"charge", record.id.bytes, code.encode()))


def plan_version(record: PlanVersionRecord, *, stored_hash: bytes) -> PlanVersion:
    """Return the plan version that `record` defines.

    Raises:
        KeyError, TypeError, ValueError, Refusal: the definition was not written by this engine.
    """
    definition = record.definition
    features = sorted(definition["features"].items())
    thresholds = definition.get("usage_thresholds")
    return PlanVersion(
        id=record.id,
        plan=record.plan,
        version=record.version,
        name=record.name,
        product=record.product,
        price_book=record.price_book,
        price_book_version=record.price_book_version,
        currency=record.currency,
        tax_mode=TaxMode(record.tax_mode),
        interval=interval_from_json(definition["interval"]),
        trial_days=definition["trial_days"],
        charges=tuple(charge_from_json(charge_id(record, body["code"]), body) for body in definition["charges"]),
        features=tuple((code, None if limit is None else Decimal(limit)) for code, limit in features),
        effective_at=record.effective_at,
        content_hash=stored_hash,
        profile=definition.get("profile"),
        customer_id=record.customer_id,
        credits=tuple(_credit_from_json(code, body) for code, body in sorted(definition.get("credits", {}).items())),
        usage_thresholds=None if thresholds is None else thresholds_from_json(thresholds),
    )


def _credit_from_json(code: str, body: Mapping[str, Any]) -> PlanCredit:
    return PlanCredit(
        code=code,
        wallet=body["wallet"],
        unit=body["unit"],
        rate=Decimal(body.get("rate", 1)),
        amount=Decimal(body["amount"]),
        per=body.get("per"),
        every=interval_from_json(body["every"]),
        rollover_min=Decimal(body.get("rollover_min", 0)),
        rollover_max=Decimal(body.get("rollover_max", 0)),
        lasts=interval_from_json(body["lasts"]) if "lasts" in body else None,
        priority=body["priority"],
        category=body["category"],
        features=frozenset(body.get("features", ())),
    )


def charge_from_json(identity: ChargeId, body: Mapping[str, Any]) -> Charge:
    """Return the charge that a body of `definition["charges"]` describes."""
    return Charge(
        id=identity,
        code=body["code"],
        name=body["name"],
        kind=ChargeKind(body["kind"]),
        timing=Timing(body["timing"]),
        price=from_json(body["price"]),
        interval=interval_from_json(body["interval"]) if "interval" in body else None,
        tier_window=interval_from_json(body["tier_window"]) if "tier_window" in body else None,
        metric=body.get("metric"),
        default_quantity=Decimal(body["quantity"]),
        is_prorated=body["is_prorated"],
        counting=SeatCounting(body.get("counting", SeatCounting.PRORATED)),
        tax_category=body.get("tax_category", STANDARD_TAX_CATEGORY),
        filter=filter_from_json(body.get("filter", {})),
    )


def filter_to_json(conditions: Filter) -> dict[str, Any]:
    """Return a filter as `{property: values}`, or `{property: {"not": values}}`; see `Condition`."""
    return {name: {"not": list(values)} if excludes else list(values) for name, values, excludes in sorted(conditions)}


def filter_from_json(body: Mapping[str, Any]) -> Filter:
    """Return the filter that `filter_to_json` wrote."""
    return tuple(
        Condition(name, tuple(said["not"] if isinstance(said, Mapping) else said), isinstance(said, Mapping))
        for name, said in sorted(body.items())
    )


def interval_to_json(interval: Interval) -> dict[str, int]:
    """Return an interval as `{unit: count}`, e.g. `{"month": 3}`."""
    return {interval.unit.value: interval.count}


def interval_from_json(body: Mapping[str, int]) -> Interval:
    """Return the interval of `{unit: count}`."""
    ((unit, count),) = body.items()
    return Interval(Unit(unit), count)
