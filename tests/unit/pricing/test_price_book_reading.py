"""Reading a price book: what a file means, and every kind of mistake with the line it is on."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tenor.catalog import Aggregation, Condition, Feature, Metric, Product, UnitRounding
from tenor.kernel.money import RoundingMode
from tenor.pricing.charges import (
    Dynamic,
    Flat,
    Graduated,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    Price,
    Stairstep,
    Standard,
    Tier,
    Volume,
    from_json,
)
from tenor.pricing.definition import filter_from_json
from tenor.pricing.model import TaxMode
from tenor.pricing.price_book import MalformedPriceBook, PriceBookDraft, Problem, read_price_book
from tests.support.price_books import SMALL, small_book

D = Decimal
BASE = "{code: base, name: Base fee, kind: recurring, amount: 49.00}"
TOKENS = "{code: tokens, name: Tokens, kind: usage, metric: tokens, unit_amount: 0.000003}"


def charges_of(draft: PriceBookDraft) -> list[dict[str, Any]]:
    """Return the charges of the first plan."""
    charges: list[dict[str, Any]] = draft.plans[0].definition["charges"]
    return charges


def charge_written(text: str) -> dict[str, Any]:
    """Return what the charge `text` is read as, in the place of the first one of `SMALL`."""
    return charges_of(small_book((BASE, text)))[0]


def usage(rest: str) -> dict[str, Any]:
    return charge_written("{code: x, name: X, kind: usage, metric: tokens, " + rest + "}")


def two_bounds(one: str, other: str) -> str:
    """Return two charges, each given as `kind, amount: n, interval: i`, in the place of one."""
    return "\n      - ".join(
        f"{{code: {code}, name: Bound, kind: {rest}}}" for code, rest in (("a", one), ("b", other))
    )


def problems_of(*replacements: tuple[str, str]) -> list[Problem]:
    with pytest.raises(MalformedPriceBook) as refused:
        small_book(*replacements)
    return list(refused.value.problems)


def test_the_book_is_read() -> None:
    draft = small_book()

    assert (draft.code, draft.currency, draft.tax_mode) == ("acme", "USD", TaxMode.EXCLUSIVE)
    assert draft.effective_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert draft.products == (Product("assistant", "Assistant"),)
    assert draft.metrics == (Metric("tokens", "Tokens", Aggregation.SUM, "n", "unit"),)
    assert draft.features == (Feature("sso", "Single sign-on"),)
    assert [(plan.plan, plan.name, plan.product) for plan in draft.plans] == [
        ("pro", "Pro", "assistant"),
        ("basic", "Basic", "assistant"),
    ]


def test_a_plan_is_defined_completely() -> None:
    assert small_book().plans[0].definition == {
        "interval": {"month": 1},
        "trial_days": 0,
        "features": {"sso": None},
        "charges": [
            {
                "code": "base",
                "name": "Base fee",
                "kind": "recurring",
                "timing": "advance",
                "price": {"model": "flat", "amount": "49"},
                "quantity": "1",
                "is_prorated": True,
            },
            {
                "code": "tokens",
                "name": "Tokens",
                "kind": "usage",
                "timing": "arrears",
                "price": {"model": "standard", "unit_amount": "0.000003"},
                "quantity": "1",
                "is_prorated": False,
                "metric": "tokens",
            },
        ],
    }


@pytest.mark.parametrize(
    ("rest", "price"),
    [
        ("unit_amount: 0.10", Price(Standard(D("0.1")))),
        ('unit_amount: "1e-6"', Price(Standard(D("0.000001")))),
        (
            "unit_amount: 2, included: 100, minimum: 5, maximum: 1e3",
            Price(Standard(D(2)), free_units=D(100), min_amount=D(5), max_amount=D(1000)),
        ),
        (
            "model: graduated, tiers: [{up_to: 10, unit_amount: 5}, {unit_amount: 2, flat_amount: 1}]",
            Price(Graduated((Tier(D(10), D(5)), Tier(None, D(2), D(1))))),
        ),
        (
            "model: volume, tiers: [{up_to: 10, flat_amount: 5}, {up_to: ~, unit_amount: 0}]",
            Price(Volume((Tier(D(10), None, D(5)), Tier(None, D(0))))),
        ),
        ("model: package, size: 100, amount: 0.005", Price(Package(D(100), D("0.005")))),
        ("model: package, size: 100, amount: 1, round: down", Price(Package(D(100), D(1), "down"))),
        (
            "model: stairstep, tiers: [{up_to: 10, flat_amount: 50}, {flat_amount: 90}], zero_usage_amount: 0",
            Price(Stairstep((Tier(D(10), flat_amount=D(50)), Tier(None, flat_amount=D(90))), D(0))),
        ),
        ("model: percentage, rate_percent: 2.9, free_amount: 100", Price(Percentage(D("2.9"), free_amount=D(100)))),
        (
            "model: percentage, rate_percent: 1, fixed_amount: 0.3, free_events: 3, min_per_event: 1, max_per_event: 9",
            Price(Percentage(D(1), D("0.3"), 3, min_per_event=D(1), max_per_event=D(9))),
        ),
        (
            "model: graduated_percentage, tiers: [{up_to: 100, rate_percent: 3}, {rate_percent: 2, flat_amount: 1}]",
            Price(Graduated((Tier(D(100), rate_percent=D(3)), Tier(None, rate_percent=D(2), flat_amount=D(1))))),
        ),
        ("model: dynamic", Price(Dynamic(D(1)))),
        ("model: dynamic, multiplier: 1.2", Price(Dynamic(D("1.2")))),
        (
            """model: matrix, dimensions: [region, model], default: {unit_amount: 4}, prices: [
                {when: {model: big, region: eu}, unit_amount: 3},
                {when: {region: us, model: big}, model: package, size: 10, amount: 1}]""",
            Price(
                Matrix(
                    ("region", "model"),
                    (MatrixCell(("eu", "big"), Standard(D(3))), MatrixCell(("us", "big"), Package(D(10), D(1)))),
                    Standard(D(4)),
                )
            ),
        ),
    ],
)
def test_each_charge_model_is_read(rest: str, price: Price) -> None:
    assert from_json(usage(rest)["price"]) == price


@pytest.mark.parametrize(
    ("rest", "timing", "is_prorated"),
    [
        ("kind: recurring, amount: 1", "advance", True),
        ("kind: recurring, amount: 1, timing: arrears, prorate: false", "arrears", False),
        ("kind: seat, unit_amount: 1", "advance", True),
        ("kind: one_off, amount: 1", "advance", False),
        ("kind: commitment, amount: 1", "arrears", True),
        ("kind: cap, amount: 1", "arrears", True),
        ("kind: usage, metric: tokens, unit_amount: 1", "arrears", False),
    ],
)
def test_the_defaults_of_each_kind(rest: str, timing: str, is_prorated: bool) -> None:
    charge = charge_written("{code: x, name: X, " + rest + "}")

    assert (charge["timing"], charge["is_prorated"], charge["quantity"]) == (timing, is_prorated, "1")


def test_seats_take_tiers_and_a_quantity() -> None:
    charge = charge_written(
        "{code: x, name: X, kind: seat, quantity: 5, included: 2, model: volume,"
        " tiers: [{up_to: 9, unit_amount: 12}, {unit_amount: 10}]}"
    )

    assert charge["quantity"] == "5"
    assert from_json(charge["price"]) == Price(Volume((Tier(D(9), D(12)), Tier(None, D(10)))), free_units=D(2))


def test_an_amount_of_a_currency_without_minor_digits() -> None:
    (plan, *_) = small_book(("currency: USD", "currency: JPY"), ("amount: 49.00", "amount: 4900")).plans

    assert from_json(plan.definition["charges"][0]["price"]) == Price(Flat(D(4900)))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("month", {"month": 1}),
        ("3 months", {"month": 3}),
        ("{month: 3}", {"month": 3}),
        ("quarter", {"month": 3}),
        ("2 quarters", {"month": 6}),
        ("half_year", {"month": 6}),
        ("year", {"year": 1}),
        ("2 years", {"year": 2}),
        ("week", {"week": 1}),
        ("90 days", {"day": 90}),
    ],
)
def test_an_interval_is_read(written: str, read: dict[str, int]) -> None:
    plan = small_book(("interval: month", f"interval: {written}")).plans[0]

    assert plan.definition["interval"] == read


@pytest.mark.parametrize(
    ("plan", "own"),
    [("month", "quarter"), ("month", "year"), ("year", "month"), ("2 weeks", "day"), ("quarter", "year")],
)
def test_an_interval_of_a_charge_that_fits(plan: str, own: str) -> None:
    draft = small_book(("interval: month", f"interval: {plan}"), ("amount: 49.00", f"amount: 49.00, interval: {own}"))

    assert "interval" in charges_of(draft)[0]


@pytest.mark.parametrize(
    ("plan", "window"), [("month", "day"), ("month", "hour"), ("year", "month"), ("week", "day"), ("quarter", "month")]
)
def test_a_tier_window_that_makes_the_interval(plan: str, window: str) -> None:
    draft = small_book(
        ("interval: month", f"interval: {plan}"), ("unit_amount: 0.000003", f"unit_amount: 1, tier_window: {window}")
    )

    assert charges_of(draft)[1]["tier_window"] == {window: 1}


def test_commitments_over_different_intervals() -> None:
    draft = small_book((BASE, two_bounds("commitment, amount: 1", "commitment, amount: 1, interval: year")))

    assert [charge["code"] for charge in charges_of(draft)] == ["a", "b", "tokens"]


def test_features_have_limits_or_none() -> None:
    plan = small_book(
        ("  - {code: sso, name: Single sign-on}", "  - {code: sso, name: S}\n  - {code: calls, name: C}"),
        ("features: [sso]", "features: [sso, calls: 1000]"),
    ).plans[0]

    assert plan.definition["features"] == {"sso": None, "calls": "1000"}


# What is written instead; the line and the text that the problem points to; its path; a part of its message.
ONE_MISTAKE = [
    (("price_book: acme", "price_book: Acme Inc"), 1, "Acme", "price_book", "'Acme Inc' is not a code"),
    (("price_book: acme\n", ""), 1, "currency", "", "the key 'price_book' is missing"),
    (("currency: USD", "currency: usd"), 2, "usd", "currency", "not an ISO 4217 currency code"),
    (("currency: USD", "currency: XAU"), 2, "XAU", "currency", "not an ISO 4217 currency code"),
    (("tax_mode: exclusive", "tax_mode: none"), 3, "none", "tax_mode", "not one of: exclusive, inclusive"),
    (("2026-01-01T00:00:00Z", "2026-01-01"), 4, "2026", "effective", "names no time zone"),
    (("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"), 4, "2026", "effective", "names no time zone"),
    (("2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z"), 4, "2026", "effective", "day is out of range"),
    (("2026-01-01T00:00:00Z", "1 January"), 4, "1 Jan", "effective", "is not an instant"),
    (("name: Assistant", "name: ''"), 6, "''", "products[0].name", "here must be one value"),
    (("name: Assistant", 'name: "A\\nB"'), 6, '"A', "products[0].name", "a text here is one line"),
    (("name: Assistant", f"name: {'A' * 201}"), 6, "AAA", "products[0].name", "at most 200 characters"),
    (("name: Assistant", 'name: "A\\e[2J"'), 6, '"A', "", "a control character"),
    (("products:", "products: none\nx:"), 5, "none", "products", "here must be a list"),
    (("- {code: assistant, name: Assistant}", "- robot"), 6, "robot", "products[0]", "here must be keys with values"),
    (("aggregation: sum", "aggregation: total"), 8, "total", "metrics[0].aggregation", "not one of: count, sum"),
    ((", field: n", ""), 8, "{code", "metrics[0]", "the key 'field' is missing"),
    (("field: n", "expression: n * (m"), 8, "n * (m", "metrics[0].expression", "column 7: the end where ')' was"),
    (("field: n", "expression: n, field: n"), 8, "n}", "metrics[0].field", "write one of the two"),
    (("sum, field: n", "count, expression: n"), 8, "n}", "metrics[0].expression", "count does not go by a number"),
    (("sum, field: n", "max, field: n, recurring: true"), 8, "true", "metrics[0].recurring", "leaves nothing"),
    (("sum, field: n", "latest, field: n, prorated: true"), 8, "true", "metrics[0].prorated", "is not a sum of what"),
    (("field: n", "field: n, rounding: {mode: up}"), 8, "up}", "metrics[0].rounding.mode", "not one of: half_up"),
    (
        ("field: n", "field: n, rounding: {mode: ceil, digits: 1.5}"),
        8,
        "1.5",
        "metrics[0].rounding.digits",
        "not a whole",
    ),
    (("sum, field: n", "count, field: qty"), 8, "qty", "metrics[0].field", "a count counts events"),
    (("product: assistant", "product: asistant"), 14, "asis", "plans[0].product", "there is no product 'asistant'"),
    (("interval: month", "interval: moon"), 15, "moon", "plans[0].interval", "'moon' is not a unit of time"),
    (("interval: month", "interval: 0 months"), 15, "0", "plans[0].interval", "an interval counts 1 to 999"),
    (("interval: month", "interval: {month: 1.5}"), 15, "1.5", "plans[0].interval.month", "1.5 is not a whole number"),
    (("interval: month", "interval: {month: 1, day: 1}"), 15, "{", "plans[0].interval", "an interval counts one unit"),
    (("features: [sso]", "features: [ssl]"), 16, "ssl", "plans[0].features[0]", "there is no feature 'ssl'"),
    (("features: [sso]", "features: [sso, sso]"), 16, "sso]", "plans[0].features[1]", "a second feature 'sso'"),
    (("features: [sso]", "features: [sso: -1]"), 16, "-1", "plans[0].features[0].sso", "-1 is negative"),
    (("features: [sso]", "trial_days: 1.5"), 16, "1.5", "plans[0].trial_days", "1.5 is not a whole number"),
    (("features: [sso]", "trial_days: 4000"), 16, "4000", "plans[0].trial_days", "4000 is more than 3650"),
    (("kind: recurring", "kind: monthly"), 18, "monthly", "plans[0].charges[0].kind", "not one of: recurring, seat"),
    (("amount: 49.00", "amount: 49.001"), 18, "49.001", "plans[0].charges[0].amount", "49.001 is finer than USD"),
    (("amount: 49.00", "amount: -49"), 18, "-49", "plans[0].charges[0].amount", "-49 is negative"),
    (("amount: 49.00", "amount: 49,07"), 18, "07", "plans[0].charges[0]", "there is no key '07' here"),
    (("amount: 49.00", "amount: .inf"), 18, ".inf", "plans[0].charges[0].amount", "is not a decimal number"),
    (("amount: 49.00", "amount: 1e999"), 18, "1e999", "plans[0].charges[0].amount", "more than 15 digits before"),
    (("amount: 49.00", "amount: [49]"), 18, "[49]", "plans[0].charges[0].amount", "here must be one value"),
    (("amount: 49.00", "amunt: 49.00"), 18, "{code", "plans[0].charges[0]", "the key 'amount' is missing"),
    (("amount: 49.00", "amunt: 49.00"), 18, "amunt", "plans[0].charges[0]", "there is no key 'amunt' here"),
    (("amount: 49.00", "amount: 49, prorate: no"), 18, "no}", "plans[0].charges[0].prorate", "neither true nor false"),
    (("amount: 49.00", "amount: 49, interval: week"), 18, "week", "plans[0].charges[0].interval", "does not fit"),
    (("kind: recurring", "kind: one_off, timing: late"), 18, "late", "plans[0].charges[0].timing", "one of: advance"),
    (("features: [sso]", "profile: lagoo"), 16, "lagoo", "plans[0].profile", "'lagoo' is not one of: "),
    (("amount: 49.00", "amount: 49, tax_category: Food"), 18, "Food", "plans[0].charges[0].tax_category", "not a code"),
    (("amount: 49.00", "amount: 49, counting: prorated"), 18, "counting", "plans[0].charges[0]", "no key 'counting'"),
    (("kind: recurring", "kind: cap, timing: advance"), 18, "adv", "plans[0].charges[0].timing", "one of: arrears"),
    (("metric: tokens", "metric: words"), 19, "words", "plans[0].charges[1].metric", "there is no metric 'words'"),
    (
        ("code: tokens, name: Tokens, k", "code: base, name: T, k"),
        19,
        "base",
        "plans[0].charges[1].code",
        "second code",
    ),
    (("0.000003", "1e-13"), 19, "1e-13", "plans[0].charges[1].unit_amount", "1E-13 has more than 12 digits"),
    (("code: basic", "code: pro"), 20, "pro", "plans[1].code", "a second code 'pro'; the first is on line 12"),
]


@pytest.mark.parametrize(("written", "line", "points_to", "path", "words"), ONE_MISTAKE)
def test_one_mistake_is_told_with_its_place(
    written: tuple[str, str], line: int, points_to: str, path: str, words: str
) -> None:
    column = SMALL.replace(*written, 1).splitlines()[line - 1].index(points_to) + 1

    found = [problem for problem in problems_of(written) if problem[:3] == (line, column, path)]

    assert any(words in problem.message for problem in found)


@pytest.mark.parametrize(
    ("rest", "path", "words"),
    [
        ("model: graduate, unit_amount: 1", "model", "not one of: standard, graduated"),
        ("model: graduated, tiers: []", "tiers", "there is no tier"),
        ("model: graduated, tiers: [{up_to: 5, unit_amount: 1}]", "tiers[0]", "the last tier must be open"),
        ("model: graduated, tiers: [{unit_amount: 1}, {unit_amount: 2}]", "tiers[0]", "only the last tier may be open"),
        ("model: graduated, tiers: [{up_to: 5, unit_amount: 1}, {up_to: 5, unit_amount: 1}, {unit_amount: 1}]",
         "tiers[1].up_to", "5 is not above 5"),
        ("model: graduated, tiers: [{up_to: 0, unit_amount: 1}, {unit_amount: 1}]", "tiers[0].up_to", "not above 0"),
        ("model: graduated, tiers: [{up_to: 5}, {unit_amount: 1}]", "tiers[0]", "the key 'unit_amount' is missing"),
        ("model: stairstep, tiers: [{unit_amount: 1}]", "tiers[0]", "there is no key 'unit_amount' here"),
        ("model: package, size: 0, amount: 1", "size", "0 is not above 0"),
        ("model: package, size: 1, amount: 1, round: near", "round", "not one of: up, down"),
        ("model: percentage, rate_percent: 101", "rate_percent", "101 is more than 100"),
        ("model: percentage, rate_percent: 1, included: 5", "included", "does not price a number of units"),
        ("model: percentage, rate_percent: 1, min_per_event: 5, max_per_event: 1", "min_per_event", "5 is above"),
        ("model: percentage, rate_percent: 1, free_events: 1.5", "free_events", "1.5 is not a whole number"),
        ("model: percentage, rate_percent: 1, tier_window: day", "tier_window", "priced over the whole period"),
        ("model: matrix, tier_window: day", "tier_window", "priced over the whole period"),
        ("model: matrix, dimensions: [r], prices: [{when: {r: e}, model: percentage, rate_percent: 1, free_events: 1}]",
         "prices[0]", "there is no key 'free_events' here"),
        ("unit_amount: 1, minimum: 10, maximum: 9.99", "minimum", "10 is above the maximum of 9.99"),
        ("unit_amount: 1, minimum: 0.005", "minimum", "finer than USD"),
        ("unit_amount: 1, tier_window: week", "tier_window", "month is not a whole number of windows of week"),
        ("unit_amount: 1, tier_window: year", "tier_window", "month is not a whole number of windows of year"),
        ("unit_amount: 1, quantity: 3", "", "there is no key 'quantity' here"),
        ("unit_amount: 1, timing: weekly", "timing", "not one of: arrears, advance"),
        ("unit_amount: 1, filter: {}", "filter", "a filter is properties with the values"),
        ("unit_amount: 1, filter: eu", "filter", "a filter is properties with the values"),
        ("unit_amount: 1, filter: {r: []}", "filter.r", "here must be values, each once"),
        ("unit_amount: 1, filter: {r: [eu, eu]}", "filter.r", "here must be values, each once"),
        ("unit_amount: 1, filter: {r: [[eu]]}", "filter.r[0]", "here must be one value"),
        ("unit_amount: 1, filter: {r: {nto: eu}}", "filter.r", "there is no key 'nto' here"),
        (("model: matrix, dimensions: [r],"
         " prices: [{when: {r: [b, a]}, unit_amount: 1}, {when: {r: [a, b]}, unit_amount: 2}]"),
         "prices[1]", "a second price for 'a or b'"),
        ("model: matrix, dimensions: [], prices: []", "dimensions", "a matrix needs the names"),
        ("model: matrix, dimensions: [r, r], prices: []", "dimensions", "a matrix needs the names"),
        ("model: matrix, dimensions: [r], prices: [{when: {r: eu}, unit_amount: 1}, {when: {r: eu}, unit_amount: 2}]",
         "prices[1]", "a second price for 'eu'"),
        ("model: matrix, dimensions: [r], prices: [{when: {q: eu}, unit_amount: 1}]", "prices[0].when", "'q'"),
        ("model: matrix, dimensions: [r], prices: [{when: {r: eu}, model: matrix}]", "prices[0].model", "not one of"),
        ("model: matrix, dimensions: [r], prices: [{when: {r: eu}}]", "prices[0]", "the key 'unit_amount' is missing"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_price_is_told_at_its_key(rest: str, path: str, words: str) -> None:
    problems = problems_of((BASE, "{code: x, name: X, kind: usage, metric: tokens, " + rest + "}"))

    found = [problem for problem in problems if problem.path == f"plans[0].charges[0].{path}".rstrip(".")]
    assert any(problem.line == 18 and words in problem.message for problem in found)


def test_a_metric_says_how_its_number_comes_about() -> None:
    draft = small_book(
        (
            "field: n",
            "expression: 'ceil(ms / 1000)', recurring: true, prorated: false, rounding: {mode: ceil, digits: -2}",
        )
    )

    assert draft.metrics == (
        Metric(
            "tokens",
            "Tokens",
            Aggregation.SUM,
            None,
            "unit",
            expression="ceil(ms / 1000)",
            recurring=True,
            rounding=UnitRounding(RoundingMode.CEIL, -2),
        ),
    )


def test_the_filter_of_a_charge_is_read() -> None:
    body = usage("unit_amount: 1, filter: {size: {not: [s, null]}, region: [us, eu], tier: free, coupon: null}")

    assert body["filter"] == {"coupon": [""], "region": ["eu", "us"], "size": {"not": ["", "s"]}, "tier": ["free"]}
    assert filter_from_json(body["filter"]) == (
        Condition("coupon", ("",)),
        Condition("region", ("eu", "us")),
        Condition("size", ("", "s"), excludes=True),
        Condition("tier", ("free",)),
    )


def test_a_cell_takes_several_values_or_any() -> None:
    charge = usage(
        "model: matrix, dimensions: [r, s], prices:"
        " [{when: {r: [us, eu]}, unit_amount: 1}, {when: {r: [jp], s: x}, unit_amount: 2}, {when: {}, unit_amount: 3}]"
    )
    model = from_json(charge["price"]).model

    assert [cell["key"] for cell in charge["price"]["cells"]] == [[["eu", "us"], None], ["jp", "x"], [None, None]]
    assert isinstance(model, Matrix)
    # What asks most comes first.
    assert [model.text_of(key) for key in model.pools] == ["jp / x", "eu | us / *", "* / *"]
    assert list(model.pools.values())[1] == (Condition("r", ("eu", "us")),)


def test_values_of_several_dimensions_are_told_apart() -> None:
    charge = usage(
        "model: matrix, dimensions: [r, s], prices:"
        ' [{when: {r: "a, b", s: c}, unit_amount: 1}, {when: {r: a, s: "b, c"}, unit_amount: 2}]'
    )

    assert [cell["key"] for cell in charge["price"]["cells"]] == [["a, b", "c"], ["a", "b, c"]]


@pytest.mark.parametrize("kind", ["commitment", "cap"])
def test_a_second_bound_over_the_same_interval(kind: str) -> None:
    bounds = two_bounds(f"{kind}, amount: 1, interval: year", f"{kind}, amount: 1, interval: 12 months")

    (problem,) = problems_of((BASE, bounds))

    assert problem[:3] == (19, 9, "plans[0].charges[1]")
    assert problem.message == f"there is a second {kind} over each 12 months; the first is on line 18"


@pytest.mark.parametrize(("cap_line", "order"), [(19, 1), (18, -1)])
def test_a_cap_below_the_commitment_over_the_same_interval(cap_line: int, order: int) -> None:
    (problem,) = problems_of((BASE, two_bounds(*("commitment, amount: 100", "cap, amount: 99.99")[::order])))

    assert problem.line == cap_line
    assert problem.message == "the cap of 99.99 is below the commitment of 100 over the same periods"


def test_a_cap_and_a_commitment_that_leave_room() -> None:
    draft = small_book((BASE, two_bounds("commitment, amount: 100", "cap, amount: 100")))

    assert [charge["kind"] for charge in charges_of(draft)] == ["commitment", "cap", "usage"]


def test_how_seats_are_counted_is_written_where_it_deviates() -> None:
    seats = "{code: x, name: X, kind: seat, unit_amount: 10, counting: %s}"

    assert charge_written(seats % "high_water")["counting"] == "high_water"
    assert "counting" not in charge_written(seats % "prorated")


def test_the_tax_category_is_written_where_it_deviates() -> None:
    draft = small_book(
        ("amount: 49.00", "amount: 49.00, tax_category: ebook"), ("0.000003", "3, tax_category: standard")
    )

    assert [charge.get("tax_category") for charge in charges_of(draft)] == ["ebook", None]


def test_a_plan_may_name_its_policy() -> None:
    (pro, basic) = small_book(("features: [sso]", "profile: lago")).plans

    assert pro.definition["profile"] == "lago"
    assert "profile" not in basic.definition


def test_a_near_miss_is_given_a_hint() -> None:
    (missing, unknown) = problems_of(("amount: 49.00", "amunt: 49.00"))

    assert (missing.hint, unknown.hint) == (None, "did you mean 'amount'?")


def test_every_problem_is_told_at_once_in_the_order_of_the_file() -> None:
    """One mistake each on eleven lines, of eleven kinds; none hides another."""
    problems = problems_of(
        ("price_book: acme", "price_book: ACME"),
        ("currency: USD", "currency: DOLLAR"),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"),
        ("name: Assistant", "nmae: Assistant"),
        ("aggregation: sum", "aggregation: add"),
        ("product: assistant", "product: robot"),
        ("interval: month", "interval: fortnight"),
        ("features: [sso]", "features: {sso: 1}"),
        ("amount: 49.00", "amount: ten"),
        ("metric: tokens", "metric: words"),
        ("amount: 9.00", "amount: 9.00, amount: 8.00"),
    )

    assert sorted({problem.line for problem in problems}) == [1, 2, 4, 6, 8, 14, 15, 16, 18, 19, 25]
    assert [problem[:2] for problem in problems] == sorted(problem[:2] for problem in problems)


def test_problems_before_a_break_of_the_syntax_are_kept() -> None:
    problems = problems_of(("currency: USD", "price_book: twice"), ("amount: 9.00}", "amount: 9.00"))

    assert [(problem.line, problem.message[:25]) for problem in problems] == [
        (2, "the key 'price_book' occu"),
        (26, "this is not YAML: while p"),
    ]


def test_the_message_and_the_details_hold_every_problem() -> None:
    with pytest.raises(MalformedPriceBook) as refused:
        small_book(("currency: USD", "currency: usd"), ("tax_mode: exclusive", "tax_mode: no"))

    assert refused.value.code == "malformed_price_book"
    assert str(refused.value).splitlines()[0] == "the price book has 2 problems:"
    assert len(str(refused.value).splitlines()) == 3
    assert refused.value.details["problems"] == [problem._asdict() for problem in refused.value.problems]


@pytest.mark.parametrize("source", [b"[]", b"text", b"5", b"~"])
def test_something_else_than_a_price_book_is_refused(source: bytes) -> None:
    with pytest.raises(MalformedPriceBook, match="here must be keys with values"):
        read_price_book(source)


def test_the_digest_is_that_of_the_file() -> None:
    assert read_price_book(SMALL.encode()).source_digest != read_price_book(SMALL.encode() + b"\n").source_digest
    assert len(read_price_book(SMALL.encode()).source_digest) == 32
