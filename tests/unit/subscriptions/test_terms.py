"""Terms: what a customer may agree on a plan, and what holds where nothing was said."""

from dataclasses import replace
from decimal import Decimal

import pytest

from tenor.pricing.model import PlanVersion, TaxMode
from tenor.subscriptions.rules.terms import NOTHING, agreed_prices, agreed_terms, changed_prices, same_books
from tests.support.invoicing import base, calls, plan, seats, setup

TEAM = plan(base("20.00"), seats("8.00"), calls("0.50"), setup("50.00"))
ASKED_FOR = plan(replace(seats("8.00"), default_quantity=Decimal(0)))


def agreed(
    version: PlanVersion = TEAM, *, quantities: dict[str, str] | None = None, held: dict[str, str] | None = None
) -> tuple[dict[str, Decimal], list[str]]:
    """Return the quantities that are agreed, and the places of what is wrong."""
    terms, flaws = agreed_terms(
        version,
        quantities={code: Decimal(text) for code, text in (quantities or {}).items()},
        prices=NOTHING,
        held={code: Decimal(text) for code, text in (held or {}).items()},
    )
    return dict(terms.quantities), [flaw.field for flaw in flaws]


def test_a_quantity_is_what_is_asked_for_else_what_is_held_else_the_plans_own() -> None:
    assert agreed(quantities={"seats": "5"}, held={"seats": "3"}) == ({"seats": Decimal(5)}, [])
    assert agreed(held={"seats": "3"}) == ({"seats": Decimal(3)}, [])
    assert agreed() == ({"seats": Decimal(1)}, [])


def test_a_plan_without_a_default_must_be_told_how_many() -> None:
    assert agreed(ASKED_FOR)[1] == ["quantities.seats"]
    assert agreed(ASKED_FOR, held={"seats": "3"}) == ({"seats": Decimal(3)}, [])
    assert agreed(ASKED_FOR, quantities={"seats": "0"}) == ({"seats": Decimal(0)}, [])


@pytest.mark.parametrize("code", ["base", "calls", "setup", "unknown"])
def test_only_seats_have_a_quantity(code: str) -> None:
    assert agreed(quantities={code: "1"})[1] == [f"quantities.{code}"]


def prices(**asked: str) -> tuple[dict[str, Decimal], list[str]]:
    found, flaws = agreed_prices(TEAM, {code: Decimal(text) for code, text in asked.items()})
    return found, [flaw.field for flaw in flaws]


def test_a_whole_amount_is_as_fine_as_the_currency_and_a_unit_price_may_be_finer() -> None:
    assert prices(base="19.99", seats="7.005") == ({"base": Decimal("19.99"), "seats": Decimal("7.005")}, [])
    assert prices(base="19.995")[1] == ["prices.base"]
    assert prices(setup="0.001")[1] == ["prices.setup"]


@pytest.mark.parametrize(("code", "price"), [("calls", "1"), ("unknown", "1"), ("base", "-1")])
def test_a_price_is_agreed_for_what_has_one_price_and_is_never_negative(code: str, price: str) -> None:
    assert prices(**{code: price})[1] == [f"prices.{code}"]


def test_an_agreed_price_may_be_given_up_for_the_plans_own() -> None:
    found, flaws = changed_prices(TEAM, {"base": None, "seats": Decimal(7)})

    assert (found, flaws) == ({"base": None, "seats": Decimal(7)}, [])


def test_plans_stand_on_one_document_only_in_one_currency_and_tax_mode() -> None:
    assert same_books(TEAM, plan(base("10.00"))) == []
    assert [flaw.field for flaw in same_books(TEAM, plan(base("10.00"), currency="EUR"))] == ["plan"]
    assert [flaw.field for flaw in same_books(TEAM, plan(base("10.00"), tax_mode=TaxMode.INCLUSIVE))] == ["plan"]
