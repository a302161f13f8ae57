"""The JSON of the journal's facts: what was written is read as it was meant, also by those who wrote it first."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings

from tenor.kernel.ids import DiscountId, ItemId, PlanVersionId, SubscriptionId
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
from tenor.subscriptions.store.facts import facts_from_json, facts_to_json, kind_of
from tests.properties.test_timeline import changes

ITEM, OTHER = ItemId(UUID(int=1)), ItemId(UUID(int=2))
PLAN = PlanVersionId(UUID(int=3))
SUBSCRIPTION = SubscriptionId(UUID(int=4))
MAY = datetime(2026, 5, 1, tzinfo=UTC)
TERMS = Terms({"seats": Decimal("2.5")}, {"seats": Decimal("0.10")})
COUPON = Discount(id=DiscountId(UUID(int=5)), code="ten", name="Ten", percent_off=Decimal("12.5"))

ONE_OF_EACH: list[Facts] = [
    Subscribed(ITEM, PLAN, MAY, TERMS, Decimal("7.5"), MAY, False, MAY, transferred_from=SUBSCRIPTION),
    PlanChanged(ITEM, PLAN, MAY, TERMS, Closing.WHOLE, replaces=OTHER),
    QuantityChanged({"seats": Decimal(3)}, OTHER),
    PricesChanged({"seats": Decimal("9.99"), "base": None}, OTHER),
    AddOnAdded(ITEM, PLAN, MAY, TERMS),
    AddOnRemoved(ITEM, Closing.FREE),
    Paused(Closing.WHOLE, BillingDate.SHIFT, extends_term=True),
    Resumed((Reopened(ITEM, OTHER, MAY, MAY), Reopened(OTHER, ITEM, MAY))),
    TrialChanged(MAY, (Reopened(ITEM, OTHER, MAY),)),
    AnchorMoved((Reopened(ITEM, OTHER, MAY),)),
    TermChanged(None, pause_version=3),
    Cancelled(Closing.FREE, SUBSCRIPTION),
    DiscountApplied(COUPON),
    DiscountRemoved(COUPON.id),
    Undone(7),
]


def kept(facts: Facts) -> Facts:
    """Write facts as JSON text and read them again."""
    return facts_from_json(kind_of(facts), msgspec.json.decode(msgspec.json.encode(facts_to_json(facts))))


def test_every_kind_has_facts_and_every_facts_a_kind() -> None:
    assert [kind_of(facts) for facts in ONE_OF_EACH] == list(ChangeKind)


@pytest.mark.parametrize("facts", ONE_OF_EACH, ids=kind_of)
def test_what_was_written_is_read(facts: Facts) -> None:
    assert kept(facts) == facts


@settings(max_examples=150, deadline=None)
@given(changes(9))
def test_whatever_was_written_is_read(facts: Facts) -> None:
    assert kept(facts) == facts


@pytest.mark.parametrize(
    ("kind", "json", "meant"),
    [
        (
            ChangeKind.SUBSCRIBED,
            {
                "item_id": str(ITEM),
                "plan_version_id": str(PLAN),
                "anchor_at": "2026-05-01T00:00:00Z",
                "terms": {"quantities": {"seats": "2.5"}, "prices": {"seats": "0.10"}},
                "discount_percent": "0",
                "trial_ends_at": None,
                "trial_converts": True,
                "ends_at": None,
            },
            Subscribed(ITEM, PLAN, MAY, TERMS, Decimal(0), None, True, None),
        ),
        (
            ChangeKind.PLAN_CHANGED,
            {
                "item_id": str(ITEM),
                "plan_version_id": str(PLAN),
                "anchor_at": "2026-05-01T00:00:00Z",
                "terms": {"quantities": {"seats": "2.5"}, "prices": {"seats": "0.10"}},
            },
            PlanChanged(ITEM, PLAN, MAY, TERMS, Closing.PRORATED, replaces=None),
        ),
        (ChangeKind.QUANTITY_CHANGED, {"quantities": {"seats": "3"}}, QuantityChanged({"seats": Decimal(3)}, None)),
        (ChangeKind.CANCELLED, {}, Cancelled(Closing.PRORATED, None)),
    ],
)
def test_what_the_first_release_wrote_is_read_as_it_was_meant(
    kind: ChangeKind, json: dict[str, Any], meant: Facts
) -> None:
    assert facts_from_json(kind, json) == meant
