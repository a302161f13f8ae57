"""Reading a contract: what a file makes of the plan, step by step, and every kind of mistake with its line."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.pricing.contracts.errors import MalformedContract
from tenor.pricing.contracts.model import AgreedPayment, ContractDraft, StepDraft, StepStart
from tenor.pricing.contracts.reading import Catalogue, read_contract
from tenor.pricing.price_book import Problem
from tests.support.contracts import CALLS, RAMP, ramp
from tests.support.price_books import as_applied, small_book

SEATS = "{code: base, name: Base fee, kind: seat, unit_amount: 12, quantity: 5, counting: high_water, included: 1}"
BASE = "{code: base, name: Base fee, kind: recurring, amount: 49.00}"


def charge(draft: ContractDraft, step: int, code: str) -> dict[str, Any]:
    """Return a charge of a step, which counts from 1."""
    charges: list[dict[str, Any]] = draft.steps[step - 1].definition["charges"]
    (found,) = [body for body in charges if body["code"] == code]
    return found


def problems_of(*replacements: tuple[str, str], book: tuple[tuple[str, str], ...] = ()) -> list[Problem]:
    with pytest.raises(MalformedContract) as refused:
        ramp(*replacements, book=book)
    return list(refused.value.problems)


def test_the_frame_is_read() -> None:
    draft = ramp()

    assert (draft.code, draft.base.plan, draft.name) == ("globex", "pro", "Pro for Globex")
    assert (draft.payment, draft.po_number, draft.term_months) == (AgreedPayment("end_of_month", 15), "PO-4711", 36)
    assert [step.start for step in draft.steps] == [StepStart(), StepStart(after_months=12), StepStart(after_months=24)]


def test_each_step_is_whole_and_stands_on_the_one_before() -> None:
    draft = ramp()

    assert [
        {body["code"]: body["price"].get("amount") for body in step.definition["charges"]} for step in draft.steps
    ] == [
        {"base": "100", "tokens": None, "floor": "80"},
        {"base": "150", "tokens": None, "floor": "80"},
        {"base": "200", "tokens": None, "floor": "120"},
    ]
    assert [step.definition["features"] for step in draft.steps] == [
        {"sso": None, "calls": "1000"},
        {"sso": None, "calls": "1000"},
        {"sso": None, "calls": "5000"},
    ]


def test_what_a_contract_does_not_name_stays_as_the_plan_has_it() -> None:
    plan = as_applied(small_book(CALLS)).newest["pro"].definition

    for step in ramp().steps:
        assert step.definition["charges"][1] == plan["charges"][1]
        assert (step.definition["interval"], step.definition["trial_days"]) == (plan["interval"], 0)


def test_a_one_off_is_due_in_the_step_that_names_it() -> None:
    """Set up once with the first step, and once more at another price with the third."""
    fee = BASE + "\n      - {code: setup, name: Setup, kind: one_off, amount: 99}"
    draft = ramp(("{code: floor, amount: 120}", "{code: setup, amount: 50}"), book=((BASE, fee),))

    assert [
        [body["price"]["amount"] for body in step.definition["charges"] if body["code"] == "setup"]
        for step in draft.steps
    ] == [["99"], [], ["50"]]


def test_an_override_says_the_price_whole_and_keeps_the_rest() -> None:
    """The plan's five seats with the first one free become seats at 9.00; how they are counted stays."""
    seats = charge(
        ramp(("{code: base, amount: 100}", "{code: base, unit_amount: 9}"), *_flat(), book=((BASE, SEATS),)), 1, "base"
    )

    assert seats["price"] == {"model": "standard", "unit_amount": "9"}
    assert (seats["kind"], seats["quantity"], seats["counting"]) == ("seat", "5", "high_water")


def _flat() -> tuple[tuple[str, str], ...]:
    """Leave the later steps without a price of the base fee."""
    return (
        ("    charges:\n      - {code: base, amount: 150}\n", ""),
        ("      - {code: base, amount: 200}\n", ""),
    )


def test_an_override_may_be_of_another_charge_model() -> None:
    tiers = "{code: tokens, model: graduated, tiers: [{up_to: 1000, unit_amount: 0}, {unit_amount: 0.000002}]}"

    tokens = charge(ramp(("{code: base, amount: 100}", tiers)), 2, "tokens")

    assert tokens["price"] == {
        "model": "graduated",
        "tiers": [{"unit_amount": "0", "up_to": "1000"}, {"unit_amount": "0.000002", "up_to": None}],
    }
    assert (tokens["metric"], tokens["timing"], tokens["name"]) == ("tokens", "arrears", "Tokens")


def test_an_override_may_say_the_rest_anew() -> None:
    base = charge(
        ramp(("{code: base, amount: 100}", "{code: base, name: Fee, amount: 100, prorate: false}")), 3, "base"
    )

    assert (base["name"], base["is_prorated"]) == ("Fee", False)


def test_an_override_keeps_the_filter_unless_it_says_another() -> None:
    tokens = "{code: tokens, name: Tokens, kind: usage, metric: tokens, unit_amount: 0.000003"
    filtered = (tokens, f"{tokens}, filter: {{region: [us, eu], size: {{not: [s, null]}}}}")
    price = ("{code: base, amount: 100}", "{code: tokens, unit_amount: 9}")
    filter_ = ("{code: base, amount: 150}", "{code: tokens, unit_amount: 9, filter: {region: jp}}")
    draft = ramp(price, filter_, book=(filtered,))

    assert charge(draft, 1, "tokens")["filter"] == {"region": ["eu", "us"], "size": {"not": ["", "s"]}}
    assert charge(draft, 2, "tokens")["filter"] == {"region": ["jp"]}


def test_a_commitment_over_the_whole_contract() -> None:
    whole = charge(ramp(("kind: commitment", "kind: commitment, interval: 3 years")), 1, "floor")

    assert whole["interval"] == {"year": 3}


def test_a_contract_may_change_nothing_but_the_payment() -> None:
    catalogue = Catalogue(as_applied(small_book()).newest, frozenset(), frozenset())
    draft = read_contract(b"{contract: c1, plan: basic, payment_terms: {net: 0}}", catalogue)

    assert (draft.name, draft.payment, draft.term_months) == ("Basic", AgreedPayment("net", 0), None)
    assert [step.definition for step in draft.steps] == [as_applied(small_book()).newest["basic"].definition]


def test_steps_may_begin_at_instants() -> None:
    draft = ramp(
        ("after: 12 months", "from: 2027-01-01T00:00:00Z"), ("after: 2 years", "from: 2028-01-01T00:00:00+01:00")
    )

    assert [step.start.at and step.start.at.isoformat() for step in draft.steps] == [
        None,
        "2027-01-01T00:00:00+00:00",
        "2027-12-31T23:00:00+00:00",
    ]


def test_trial_and_profile_hold_in_every_step() -> None:
    draft = ramp(("term: 3 years", "term: 3 years\ntrial_days: 30\nprofile: lago"))

    assert {(step.definition["trial_days"], step.definition["profile"]) for step in draft.steps} == {(30, "lago")}


def test_json_is_read_as_well() -> None:
    catalogue = Catalogue(as_applied(small_book(CALLS)).newest, frozenset({"tokens"}), frozenset({"sso", "calls"}))

    assert read_contract(json.dumps(yaml.safe_load(RAMP)).encode(), catalogue) == ramp()


# What is written instead; the line and the path of the problem; a part of its message.
ONE_MISTAKE = [
    (("contract: globex", "contract: Globex Inc"), 1, "contract", "'Globex Inc' is not a code"),
    (("contract: globex", "kontract: globex"), 1, "", "the key 'contract' is missing"),
    (("plan: pro", "plan: por"), 2, "plan", "no plan 'por' is sold now"),
    (("{end_of_month: 15}", "30"), 4, "payment_terms", "payment terms are {net: 30}"),
    (("{end_of_month: 15}", "{nett: 15}"), 4, "payment_terms", "there is no key 'nett' here"),
    (("{end_of_month: 15}", "{net: 400}"), 4, "payment_terms.net", "400 is more than 365"),
    (("{end_of_month: 15}", "{net: -1}"), 4, "payment_terms.net", "-1 is negative"),
    (("term: 3 years", "term: 90 days"), 6, "term", "a contract counts months or years"),
    (("term: 3 years", "term: 18 months"), 16, "ramp[1]", "after 24 months, when the term of 18 months has ended"),
    (("amount: 100", "amount: 100.001"), 8, "charges[0].amount", "100.001 is finer than USD"),
    (("amount: 100", "unit_amount: 100"), 8, "charges[0]", "there is no key 'unit_amount' here"),
    (("amount: 100", "amount: 100, kind: seat"), 8, "charges[0]", "'base' is a recurring charge already"),
    (("{code: base, amount: 100}", "base: 100"), 8, "charges[0]", "the key 'kind' is missing"),
    (("{code: base, amount: 100}", "100"), 8, "charges[0]", "here must be keys with values"),
    (("code: base", "code: bsae"), 8, "charges[0]", "the key 'kind' is missing"),
    (("amount: 100}", "amount: 100, metric: t}"), 8, "charges[0]", "there is no key 'metric' here"),
    (("kind: commitment", "kind: usage, metric: token"), 9, "charges[1].metric", "no metric 'token' in the catalogue"),
    (("kind: commitment", "kind: commitment, interval: week"), 9, "charges[1].interval", "does not fit the plan's"),
    (("calls: 1000", "kalls: 1000"), 11, "features[0]", "there is no feature 'kalls' in the catalogue"),
    (("calls: 1000", "calls: many"), 11, "features[0].calls", "'many' is not a decimal number"),
    (("after: 12 months", "after: 6 weeks"), 13, "ramp[0].after", "a contract counts months or years"),
    (("  - after: 12 months\n    charges", "  - charges"), 13, "ramp[0]", "a step begins 'after' so many months or"),
    (("after: 12 months", "after: year\n    from: 2027-01-01T00:00:00Z"), 13, "ramp[0]", "write one of the two"),
    (("after: 12 months", "from: 2027-01-01"), 13, "ramp[0].from", "names no time zone"),
    (("after: 12 months", "from: 2027-01-01T00:00:00Z"), 16, "ramp[1]", "does not begin after the one before it"),
    (("after: 12 months", "after: 24 months"), 16, "ramp[1]", "does not begin after the one before it"),
    (("amount: 120", "amount: 1e20"), 20, "ramp[1].charges[1].amount", "more than 15 digits"),
    (("ramp:", "ramps:"), 12, "", "there is no key 'ramps' here"),
]  # fmt: skip


@pytest.mark.parametrize(("written", "line", "path", "words"), ONE_MISTAKE)
def test_one_mistake_is_told_with_its_line(written: tuple[str, str], line: int, path: str, words: str) -> None:
    found = [problem for problem in problems_of(written) if (problem.line, problem.path) == (line, path)]

    assert any(words in problem.message for problem in found), problems_of(written)


def test_a_second_bound_beside_the_one_of_the_plan() -> None:
    """The plan has a commitment a month already: it is named by where the file names the plan."""
    committed = (BASE, BASE + "\n      - {code: least, name: Least, kind: commitment, amount: 10}")

    problem, of_the_last_step = problems_of(book=(committed,))

    assert (problem.line, problem.path) == (9, "charges[1]")
    assert problem.message == "there is a second commitment over each month; the first is on line 2"
    assert (of_the_last_step.line, of_the_last_step.path) == (20, "ramp[1].charges[1]")


def test_a_cap_that_a_later_step_would_break_through() -> None:
    """The step of line 16 commits to 120 where line 10 caps at 100."""
    capped = (
        "kind: commitment, amount: 80}",
        "kind: commitment, amount: 80}\n  - {code: top, name: Top, kind: cap, amount: 100}",
    )

    (problem,) = problems_of(capped)

    assert (problem.line, problem.path) == (10, "charges[2]")
    assert problem.message == "the cap of 100 is below the commitment of 120 over the same periods"


def test_every_problem_is_told_at_once() -> None:
    problems = problems_of(
        ("contract: globex", "contract: G"),
        ("po_number: PO-4711", "po_number: ''"),
        ("amount: 100", "amount: -1"),
        ("calls: 1000", "kalls: 1000"),
        ("amount: 150", "amount: x"),
        ("amount: 120", "amount: 120, interval: day"),
    )

    assert [problem.line for problem in problems] == [1, 5, 8, 11, 15, 20]


def test_a_plan_that_is_not_sold_hides_only_what_hangs_on_it() -> None:
    problems = problems_of(("plan: pro", "plan: pr"), ("term: 3 years", "term: 3 weeks"), ("amount: 100", "amount: x"))

    assert [(problem.line, problem.hint) for problem in problems] == [(2, "did you mean 'pro'?"), (6, None)]


@pytest.mark.parametrize("source", [b"[]", b"text", b"a: [", b"\xff", b""])
def test_something_else_than_a_contract_is_refused(source: bytes) -> None:
    with pytest.raises(MalformedContract, match="the contract has 1 problem:"):
        read_contract(source, Catalogue({}, frozenset(), frozenset()))


def test_a_ramp_has_an_end() -> None:
    steps = "\n".join(f"  - after: {months} months" for months in range(1, 101))
    catalogue = Catalogue(as_applied(small_book()).newest, frozenset(), frozenset())

    with pytest.raises(MalformedContract, match="100 steps are too many"):
        read_contract(f"contract: c1\nplan: pro\nramp:\n{steps}\n".encode(), catalogue)


@given(
    st.integers(0, len(RAMP) - 1),
    st.integers(0, 12),
    st.sampled_from(["", "x", "-1", ": ", "{", "[", "\t", "\n", "*a", "0", "~"]),
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_broken_is_a_problem_with_a_place(start: int, length: int, instead: str) -> None:
    """Any cut, with anything put in its place: either a contract with whole steps, or problems with their lines."""
    text = RAMP[:start] + instead + RAMP[start + length :]
    catalogue = Catalogue(as_applied(small_book(CALLS)).newest, frozenset({"tokens"}), frozenset({"sso", "calls"}))
    lines = len(text.splitlines()) + 1

    problems: tuple[Problem, ...] = ()
    steps: tuple[StepDraft, ...] = ()
    try:
        steps = read_contract(text.encode(), catalogue).steps
    except MalformedContract as refusal:
        problems = refusal.problems

    assert bool(problems) != bool(steps)
    assert all(1 <= problem.line <= lines for problem in problems)
    assert all({"base", "tokens"} <= {body["code"] for body in step.definition["charges"]} for step in steps)
