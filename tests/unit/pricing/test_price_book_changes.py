"""What an apply would change: new versions, who keeps the old ones, and what contradicts what is applied."""

import json
from dataclasses import replace

import pytest

from tenor.pricing.price_book import ConflictingPriceBook, PlanAction
from tenor.pricing.price_book.changes import CatalogPlan, plan_changes
from tests.support.price_books import NOTHING_APPLIED, as_applied, small_book

LATER = ("2026-01-01T", "2026-03-01T")
TOKENS = "timing arrears, quantity 1, prorate false, metric tokens, model standard, unit_amount 0.000003"
BASIC = """\
  - code: basic
    name: Basic
    product: assistant
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 9.00}
"""


def changes_of(*replacements: tuple[str, str], pinned: dict[tuple[str, int], int] | None = None) -> CatalogPlan:
    """Return what the edited book changes where the book itself is edition 1."""
    return plan_changes(as_applied(small_book()), small_book(*replacements), pinned or {})


def conflicts_of(
    *replacements: tuple[str, str], books_elsewhere: dict[str, str] | None = None
) -> list[tuple[int, str]]:
    applied = as_applied(small_book(), books_elsewhere=books_elsewhere)
    with pytest.raises(ConflictingPriceBook) as refused:
        plan_changes(applied, small_book(*replacements), {})
    return [(problem.line, problem.path) for problem in refused.value.problems]


def test_the_first_edition_brings_everything() -> None:
    changes = plan_changes(NOTHING_APPLIED, small_book(), {})

    assert changes.render() == [
        "price book acme (USD, tax exclusive): edition 1, effective 2026-01-01T00:00:00Z",
        "  + product assistant: Assistant",
        "  + metric tokens: Tokens",
        "  + feature sso: Single sign-on",
        "  + plan pro: version 1",
        "      name: Pro",
        "      product: assistant",
        "      interval: month",
        "      trial_days: 0",
        "      features.sso: unlimited",
        "      charges.base: recurring, timing advance, quantity 1, prorate true, amount 49, model flat",
        f"      charges.tokens: usage, {TOKENS}",
        "  + plan basic: version 1",
        "      name: Basic",
        "      product: assistant",
        "      interval: month",
        "      trial_days: 0",
        "      charges.base: recurring, timing advance, quantity 1, prorate true, amount 9, model flat",
    ]


def test_the_same_file_changes_nothing() -> None:
    changes = changes_of()

    assert changes.is_empty
    assert changes.edition == 1
    assert changes.render() == ["price book acme (USD, tax exclusive): no changes, edition 1 stays"]


@pytest.mark.parametrize(
    "rewritten",
    [
        ("amount: 49.00", "amount: 49"),
        ("interval: month", "interval: {month: 1}"),
        ("unit_amount: 0.000003", "unit_amount: 3e-6, model: standard, included: 0"),
        ("currency: USD", "# a remark\ncurrency: 'USD'"),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00"),
        (LATER[0], LATER[1]),
    ],
)
def test_another_way_to_write_the_same_changes_nothing(rewritten: tuple[str, str]) -> None:
    assert changes_of(rewritten).is_empty


def test_the_order_of_plans_and_charges_is_no_change() -> None:
    draft = small_book()
    plans = [
        plan._replace(definition={**plan.definition, "charges": plan.definition["charges"][::-1]})
        for plan in draft.plans[::-1]
    ]

    assert plan_changes(as_applied(draft), replace(draft, plans=tuple(plans)), {}).is_empty


def test_a_price_change_is_a_new_version_and_grandfathers() -> None:
    changes = changes_of(("amount: 49.00", "amount: 59.00"), LATER, pinned={("pro", 1): 1_234, ("basic", 1): 7})

    assert changes.render() == [
        "price book acme (USD, tax exclusive): edition 2, effective 2026-03-01T00:00:00Z",
        "  ~ plan pro: version 1 → 2",
        "      charges.base.amount: 49 → 59",
        "      1,234 subscriptions stay on version 1",
        "  = plan basic: version 1",
    ]


@pytest.mark.parametrize(
    ("rewritten", "line"),
    [
        (("name: Pro", "name: Professional"), "name: Pro → Professional"),
        (("interval: month", "interval: quarter"), "interval: month → 3 months"),
        (("features: [sso]", "features: [sso: 5]"), "features.sso: unlimited → 5"),
        (("features: [sso]", "trial_days: 14"), "trial_days: 0 → 14"),
        (("features: [sso]", "trial_days: 14"), "features.sso: unlimited → gone"),
        (("unit_amount: 0.000003", "unit_amount: 0.000003, included: 100"), "charges.tokens.included: 100"),
        (("unit_amount: 0.000003", "unit_amount: 0.000003, minimum: 5"), "charges.tokens.minimum: 5"),
        (("unit_amount: 0.000003", "unit_amount: 3e-6, tier_window: day"), "charges.tokens.tier_window: day"),
        (("unit_amount: 0.000003", "model: package, size: 1, amount: 1"), "charges.tokens.model: standard → package"),
        (
            ("unit_amount: 0.000003", "model: volume, tiers: [{unit_amount: 2}]"),
            "charges.tokens.tiers[0].unit_amount: 2",
        ),
        (("amount: 49.00", "amount: 49.00, prorate: false"), "charges.base.prorate: true → false"),
        (("amount: 49.00", "amount: 49.00, tax_category: ebook"), "charges.base.tax_category: standard → ebook"),
        (("features: [sso]", "profile: lago"), "profile: lago"),
        (("code: tokens, name: Tokens, kind", "code: words, name: W, kind"), f"charges.tokens: usage, {TOKENS} → gone"),
        (
            ("unit_amount: 0.000003", "unit_amount: 0.000003, filter: {region: [us, eu], size: {not: null}}"),
            "charges.tokens.filter.region: eu or us",
        ),
    ],
)
def test_a_difference_is_told_in_the_words_of_the_file(rewritten: tuple[str, str], line: str) -> None:
    (pro, basic) = changes_of(rewritten).plans

    assert (pro.action, pro.version) == (PlanAction.CHANGED, 2)
    assert line in [str(difference) for difference in pro.differences]
    assert basic.action is PlanAction.UNCHANGED


def test_a_plan_that_is_left_out_is_no_longer_sold() -> None:
    changes = changes_of((BASIC, ""), pinned={("basic", 1): 1})

    assert changes.edition == 2
    assert changes.render()[1:] == [
        "  = plan pro: version 1",
        "  - plan basic: no longer sold",
        "      1 subscription stays on version 1",
    ]


def test_a_plan_that_comes_back_as_it_was_keeps_its_version() -> None:
    applied = as_applied(small_book(), versions={"basic": 3})
    assert applied.edition is not None
    withdrawn = replace(applied, edition=applied.edition._replace(plans=frozenset({"pro"})))

    (pro, basic) = plan_changes(withdrawn, small_book(), {("basic", 2): 5, ("basic", 3): 6}).plans

    assert (pro.action, basic.action) == (PlanAction.UNCHANGED, PlanAction.RESUMED)
    assert basic.version == 3
    assert basic.grandfathered == ((2, 5),)  # version 3 is sold again, so nobody is grandfathered on it


def test_a_name_of_a_product_is_a_change_without_a_new_version() -> None:
    changes = changes_of(("name: Assistant", "name: Helper"))

    assert not changes.is_empty
    assert changes.render()[1] == "  ~ product assistant: Assistant → Helper"
    assert {plan.action for plan in changes.plans} == {PlanAction.UNCHANGED}


def test_every_conflict_is_told_at_once() -> None:
    assert conflicts_of(
        ("currency: USD", "currency: EUR"),
        ("tax_mode: exclusive", "tax_mode: inclusive"),
        ("field: n", "field: m"),
        books_elsewhere={"basic": "acme-old"},
    ) == [(2, "currency"), (3, "tax_mode"), (8, "metrics[0].code"), (20, "plans[1].code")]


@pytest.mark.parametrize(
    "meaning",
    [
        ("sum, field: n", "max, field: n"),
        ("sum, field: n", "count"),
        ("name: Tokens", "name: T"),
        ("field: n", "field: n, unit: k"),
        ("field: n", "expression: n"),
        ("field: n", "field: n, recurring: true"),
        ("field: n", "field: n, prorated: true"),
        ("field: n", "field: n, rounding: {mode: ceil}"),
    ],
)
def test_a_metric_never_changes(meaning: tuple[str, str]) -> None:
    assert conflicts_of(meaning) == [(8, "metrics[0].code")]


def test_an_edition_before_the_newest_one_is_refused() -> None:
    applied = as_applied(small_book(LATER))

    with pytest.raises(
        ConflictingPriceBook, match="2026-01-01T00:00:00Z is before edition 1, which is effective 2026-03"
    ):
        plan_changes(applied, small_book(("amount: 49.00", "amount: 59.00")), {})


def test_an_edition_of_the_same_instant_replaces_the_newest_one() -> None:
    assert changes_of(("amount: 49.00", "amount: 59.00")).edition == 2


def test_an_older_file_that_changes_nothing_is_no_edition() -> None:
    assert plan_changes(as_applied(small_book(LATER)), small_book(), {}).is_empty


def test_the_json_says_the_same() -> None:
    body = changes_of(("amount: 49.00", "amount: 59.00"), LATER, pinned={("pro", 1): 2}).to_json()

    assert json.loads(json.dumps(body)) == {
        "price_book": "acme",
        "edition": 2,
        "currency": "USD",
        "tax_mode": "exclusive",
        "effective_at": "2026-03-01T00:00:00Z",
        "has_changes": True,
        "declarations": [],
        "plans": [
            {
                "plan": "pro",
                "action": "changed",
                "version": 2,
                "previous_version": 1,
                "differences": [{"path": "charges.base.amount", "old": "49", "new": "59"}],
                "grandfathered": [{"version": 1, "subscriptions": 2}],
            },
            {
                "plan": "basic",
                "action": "unchanged",
                "version": 1,
                "previous_version": 1,
                "differences": [],
                "grandfathered": [],
            },
        ],
    }
