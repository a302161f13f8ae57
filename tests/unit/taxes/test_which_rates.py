"""Which rates hold: place and category by the worked table, then the customer's standing."""

from decimal import Decimal

import pytest

from tenor.taxes.errors import MalformedTax, TaxNotQuoted
from tenor.taxes.model import AppliedRate, Jurisdiction, TaxAnswer, TaxProfile, TaxRate, TaxTreatment
from tenor.taxes.rules.which_rates import (
    RateTable,
    overriding_rates,
    quoted_rates,
    rates_without_profile,
    which_rates,
)
from tests.support.worked_tables import worked_table
from tests.unit.taxes.notation import at, place, rate

NOW = at("2026-05-01")
GERMANY = Jurisdiction("DE")
NONE = Decimal(0)


def table(text: str) -> RateTable:
    return RateTable([rate(row) for row in text.split("; ")], at=NOW)


def taxed(profile: TaxProfile, rates: str = "VAT DE 19", *, seller: str | None = "FR") -> TaxTreatment:
    found = which_rates(profile, table(rates), own_percent=NONE, seller_country=seller)
    return found.for_category("standard")


@pytest.mark.parametrize(("rates", "where", "category", "taxes"), worked_table("algorithms/tax.md", "Which rates hold"))
def test_worked_rates(rates: str, where: str, category: str, taxes: str) -> None:
    profile = TaxProfile(jurisdiction=place(where))
    found = which_rates(profile, table(rates), own_percent=NONE, seller_country="US").for_category(category)

    assert ", ".join(f"{tax.name} {tax.percent}" for tax in found.rates) == ("" if taxes == "none" else taxes)
    assert found.is_charged


def test_a_rate_holds_from_its_first_instant_until_before_its_end() -> None:
    temporary = TaxRate(
        name="VAT",
        jurisdiction=GERMANY,
        percent=Decimal(16),
        valid_from=at("2020-07-01"),
        valid_to=at("2021-01-01"),
    )

    def holds(day: str) -> bool:
        return bool(RateTable([temporary], at=at(day)).rates(GERMANY, "standard"))

    assert [holds(day) for day in ("2020-06-30", "2020-07-01", "2020-12-31", "2021-01-01")] == [
        False,
        True,
        True,
        False,
    ]


def test_the_rate_says_where_it_is_due() -> None:
    [gst, qst] = table("GST CA 5; QST CA-QC 9.975").rates(Jurisdiction("CA", "QC"), "standard")

    assert (gst, qst) == (AppliedRate("GST", Decimal(5), "CA"), AppliedRate("QST", Decimal("9.975"), "CA-QC"))


@pytest.mark.parametrize(
    ("seller", "country", "tax_id", "is_charged"),
    [
        ("FR", "DE", "DE136695976", False),  # a business in another country of the Union
        ("FR", "DE", None, True),  # a consumer
        ("DE", "DE", "DE136695976", True),  # at home
        ("US", "DE", "DE136695976", True),  # the seller is outside
        ("FR", "CH", "CHE100155212TVA", True),  # the customer is outside
        (None, "DE", "DE136695976", True),  # nobody said where the seller is
    ],
)
def test_reverse_charge_between_two_countries_of_the_union(
    seller: str | None, country: str, tax_id: str | None, is_charged: bool
) -> None:
    profile = TaxProfile(jurisdiction=Jurisdiction(country), tax_id=tax_id)
    found = taxed(profile, "VAT DE 19; VAT CH 8.1", seller=seller)

    assert (found.is_charged, found.note) == (is_charged, "" if is_charged else "reverse charge")
    assert len(found.rates) == 1  # still there, for a price that includes it


def test_reverse_charge_by_profile() -> None:
    found = taxed(TaxProfile(jurisdiction=GERMANY, is_reverse_charge=True), seller="US")

    assert (found.is_charged, found.note) == (False, "reverse charge")


def test_an_exempt_customer_is_charged_nothing_and_the_document_says_why() -> None:
    found = taxed(TaxProfile(jurisdiction=GERMANY, is_exempt=True, exemption_reason="charity 4711"))

    assert (found.is_charged, found.note) == (False, "exempt: charity 4711")


def test_a_place_without_rates_is_untaxed_and_says_so() -> None:
    found = taxed(TaxProfile(jurisdiction=Jurisdiction("FR")))

    assert (found.rates, found.source, found.note) == ((), "table", "no tax rate in FR")


def test_the_percentage_of_the_customer_fills_a_place_without_rates() -> None:
    profile = TaxProfile(jurisdiction=Jurisdiction("FR"))
    found = which_rates(profile, table("VAT DE 19"), own_percent=Decimal("8.5"), seller_country="DE")

    assert found.for_category("books").rates == (AppliedRate("tax", Decimal("8.5")),)
    assert found.for_category("books").source == "customer"


def test_without_a_profile_there_is_one_tax_or_none() -> None:
    assert rates_without_profile(Decimal("7.7")).for_category("any").rates == (AppliedRate("tax", Decimal("7.7")),)
    assert rates_without_profile(NONE).for_category("any").rates == ()


def test_an_override_names_its_proof() -> None:
    zero = AppliedRate("VAT", NONE)
    found = overriding_rates([zero], "ruling 12/2026").for_category("standard")

    assert (found.rates, found.source, found.note) == ((zero,), "override", "rates by ruling 12/2026")


def test_what_the_engine_answers_is_taken_and_what_it_does_not_answer_is_refused() -> None:
    vat = AppliedRate("VAT", Decimal(19), "DE")
    answers = {"standard": TaxAnswer((vat,), "engine"), "books": TaxAnswer((vat,), "fallback", note="default rates")}
    found = quoted_rates(TaxProfile(jurisdiction=GERMANY), answers, seller_country="DE")

    assert found.for_category("standard").source == "engine"
    assert (found.for_category("books").source, found.for_category("books").note) == ("fallback", "default rates")
    with pytest.raises(TaxNotQuoted, match="'software'"):
        found.for_category("software")


def test_the_engine_may_find_reverse_charge_itself() -> None:
    answer = TaxAnswer((AppliedRate("VAT", Decimal(20)),), "engine", is_charged=False, note="reverse charge, GB")
    found = quoted_rates(TaxProfile(jurisdiction=Jurisdiction("GB")), {"standard": answer}, seller_country="DE")

    assert not found.for_category("standard").is_charged


@pytest.mark.parametrize(
    "facts",
    [
        {"is_exempt": True},  # no reason
        {"exemption_reason": "charity"},  # of no exemption
        {"is_exempt": True, "exemption_reason": " "},
        {"is_exempt": True, "exemption_reason": "a\0"},
        {"is_exempt": True, "exemption_reason": "charity", "is_reverse_charge": True},
        {"jurisdiction": Jurisdiction("de")},
        {"jurisdiction": Jurisdiction("DE", "B-Y")},
    ],
)
def test_profiles_that_contradict_themselves_are_refused(facts: dict[str, object]) -> None:
    with pytest.raises(MalformedTax):
        TaxProfile(**{"jurisdiction": GERMANY, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "facts",
    [
        {"percent": Decimal("100.1")},
        {"percent": Decimal(-1)},
        {"percent": Decimal("1.0000001")},
        {"percent": Decimal("NaN")},
        {"name": ""},
        {"name": "V\nAT"},
        {"category": "Books"},
        {"jurisdiction": Jurisdiction("")},
        {"valid_to": at("2026-01-01")},
    ],
)
def test_rates_that_no_law_has_are_refused(facts: dict[str, object]) -> None:
    sound = {"name": "VAT", "jurisdiction": GERMANY, "percent": Decimal(19), "valid_from": at("2026-01-01")}
    with pytest.raises(MalformedTax):
        TaxRate(**{**sound, **facts})  # type: ignore[arg-type]
