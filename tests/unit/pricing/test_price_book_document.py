"""docs/price-books.md: its boxes are true, and it names everything that a price book may say."""

import re
from itertools import pairwise

import pytest

from tenor.catalog import Aggregation
from tenor.pricing.contracts.model import AgreedPayment
from tenor.pricing.contracts.reading import Catalogue, read_contract
from tenor.pricing.model import ChargeKind
from tenor.pricing.price_book import MalformedPriceBook, read_price_book
from tenor.pricing.price_book.changes import plan_changes
from tenor.pricing.price_book.charges import KINDS
from tenor.pricing.price_book.differences import definition_differences
from tenor.pricing.price_book.intervals import WORDS
from tenor.pricing.price_book.prices import MODELS
from tests.support.price_books import as_applied
from tests.support.worked_tables import DOCS, worked_table

PAGE = (DOCS / "price-books.md").read_text(encoding="utf-8")
EXAMPLE, MISTAKEN, CONTRACT = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PROBLEMS, CHANGES, STEPS = re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)


def test_the_example_is_a_price_book() -> None:
    draft = read_price_book(EXAMPLE.encode())

    assert [plan.plan for plan in draft.plans] == ["pro", "pro-yearly"]
    assert [charge["code"] for charge in draft.plans[0].definition["charges"]] == [
        "base",
        "seats",
        "input",
        "requests",
        "payments",
        "compute",
        "storage",
        "setup",
        "floor",
        "ceiling",
        "support",
    ]


def test_the_example_uses_every_kind_of_charge() -> None:
    charges = [charge for plan in read_price_book(EXAMPLE.encode()).plans for charge in plan.definition["charges"]]

    assert {charge["kind"] for charge in charges} == set(ChargeKind)


def test_the_problems_are_those_of_the_mistaken_file() -> None:
    with pytest.raises(MalformedPriceBook) as refused:
        read_price_book(MISTAKEN.encode())

    assert str(refused.value) == PROBLEMS


def test_the_changes_are_those_that_the_page_makes_to_the_example() -> None:
    applied = as_applied(read_price_book(EXAMPLE.encode()))
    without_yearly = EXAMPLE[: EXAMPLE.index("  - code: pro-yearly")]
    changed = without_yearly.replace("unit_amount: 12.50", "unit_amount: 15").replace("2026-01-01T", "2026-03-01T")

    changes = plan_changes(applied, read_price_book(changed.encode()), {("pro", 1): 42, ("pro-yearly", 1): 1})

    assert "\n".join(changes.render()) == CHANGES


def test_the_table_of_kinds_is_the_one_that_is_read() -> None:
    stated = {
        re.findall(r"`(\w+)`", kind)[0]: (re.findall(r"`(\w+)`", timing), set(re.findall(r"`(\w+)`", keys)))
        for kind, _, timing, keys in worked_table("price-books.md", "Charges")
    }

    assert stated == {kind: (list(form.timings), set(form.keys)) for kind, form in KINDS.items()}


def test_the_table_of_models_names_every_model() -> None:
    assert {row[0].strip("`") for row in worked_table("price-books.md", "Charge models")} == set(MODELS)


@pytest.mark.parametrize("word", [*WORDS, *(aggregation.value for aggregation in Aggregation)])
def test_every_word_is_named(word: str) -> None:
    assert f"`{word}`" in PAGE


def test_the_contract_departs_from_the_example_as_the_page_says() -> None:
    plans = as_applied(read_price_book(EXAMPLE.encode())).newest
    draft = read_contract(CONTRACT.encode(), Catalogue(plans, frozenset({"requests"}), frozenset({"projects"})))

    definitions = [plans["pro"].definition, *(step.definition for step in draft.steps)]
    told = [
        [f"step {place}", *(f"  {difference}" for difference in definition_differences(former, later))]
        for place, (former, later) in enumerate(pairwise(definitions), start=1)
    ]
    assert [line for step in told for line in step] == STEPS.splitlines()
    assert (draft.payment, draft.po_number, draft.term_months) == (AgreedPayment("net", 45), "PO-4711", 24)
