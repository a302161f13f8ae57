"""Admission: a request becomes a subscription, or everything that is wrong with it is told at once."""

from dataclasses import replace
from datetime import timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from tenor.kernel.ids import CustomerId, TenantId
from tenor.subscriptions.model import NewSubscription, Recording
from tenor.subscriptions.rules.admission import Admitted, Surroundings, admit, request_digest
from tests.support.invoicing import MONTH, at, base, plan, seats

TRIED = replace(plan(base("20.00"), seats("8.00")), trial_days=14)
AROUND = Surroundings(TenantId(UUID(int=1)), "tenor", TRIED, "Europe/Berlin")
NOW = Recording(at("2026-06-01"), "ada", "signed up")
REQUEST = NewSubscription(
    external_id="globex-1", customer_id=CustomerId(UUID(int=2)), plan="basic", starts_at=at("2026-06-01")
)


def flaws(around: Surroundings = AROUND, **changes: Any) -> list[str]:
    """Return the places of what is wrong with the request once these parts are changed."""
    admitted, found = admit(replace(REQUEST, **changes), around, NOW)
    assert (admitted is None) == bool(found)
    return [flaw.field for flaw in found]


def admitted(**changes: Any) -> Admitted:
    found, _ = admit(replace(REQUEST, **changes), AROUND, NOW)
    assert found is not None
    return found


def test_what_is_not_said_is_the_customers_the_tenants_and_the_plans() -> None:
    subscription = admitted().subscription

    assert (subscription.timezone, subscription.profile, subscription.currency) == ("Europe/Berlin", "tenor", "USD")
    assert subscription.trial_ends_at == at("2026-06-15")
    assert admitted(trial_days=0).subscription.trial_ends_at is None


def test_the_plans_profile_goes_before_that_of_the_request() -> None:
    around = AROUND._replace(plan=replace(TRIED, profile="lago"))
    found, _ = admit(replace(REQUEST, profile="stripe"), around, NOW)

    assert found is not None
    assert found.subscription.profile == "lago"


@pytest.mark.parametrize(
    ("ends_at", "wrong"),
    [
        ("2026-06-01", ["ends_at"]),  # with the start
        ("2026-05-31", ["ends_at"]),
        ("2026-06-15", ["ends_at"]),  # with the trial
        ("2026-06-15T00:00:00.000001Z", []),
    ],
)
def test_an_end_comes_after_the_start_and_after_the_trial(ends_at: str, wrong: list[str]) -> None:
    assert flaws(ends_at=at(ends_at)) == wrong


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = flaws(
        AROUND._replace(customer_timezone=None),
        external_id="",
        profile="nobody",
        timezone="Nowhere/Else",
        discount_percent=Decimal(101),
        notice_days=5,
        renewal=MONTH,
        quantities={"chairs": Decimal(1)},
        trial_days=0,
        trial_converts=False,
    )

    assert sorted(wrong) == [
        "customer_id",
        "discount_percent",
        "external_id",
        "notice_days",
        "profile",
        "quantities.chairs",
        "renewal",
        "timezone",
        "trial_converts",
    ]


def test_a_plan_that_is_not_sold_is_told_beside_the_rest() -> None:
    assert flaws(AROUND._replace(plan=None), external_id="") == ["external_id", "plan"]


def test_requests_that_mean_the_same_are_the_same() -> None:
    in_berlin = at("2026-06-01").astimezone(timezone(timedelta(hours=2)))

    assert request_digest(replace(REQUEST, starts_at=in_berlin)) == request_digest(REQUEST)
    five, five_written = ({"seats": Decimal(text)} for text in ("5", "5.0"))
    assert request_digest(replace(REQUEST, quantities=five)) == request_digest(
        replace(REQUEST, quantities=five_written)
    )


@pytest.mark.parametrize(
    "change",
    [
        {"plan": "other"},
        {"starts_at": at("2026-06-02")},
        {"quantities": {"seats": Decimal(5)}},
        {"prices": {"seats": Decimal(5)}},
        {"trial_days": 0},
        {"trial_converts": False},
        {"ends_at": at("2027-06-01")},
        {"notice_days": 3},
        {"renewal": MONTH},
        {"discount_percent": Decimal(10)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_requests_that_differ_anywhere_are_two(change: dict[str, Any]) -> None:
    assert request_digest(replace(REQUEST, **change)) != request_digest(REQUEST)
