"""Contracts: prices of one's own, ramps, commitments over a contract, amendments; told by the documents they bring."""

from typing import Any

import pytest

from tenor.pricing import Contract, ContractOfAnother, agree_contract
from tenor.subscriptions import (
    NewSubscription,
    Subscription,
    SubscriptionsRefused,
    TermsRefused,
    move_anchor,
    move_to_contract,
    subscribe_to_contract,
)
from tests.support.company import Company, instant, told

BOOK = """\
price_book: dollar
currency: USD
tax_mode: exclusive
effective: 2020-01-01T00:00:00Z
products: [{code: service, name: Service}]
metrics:
  - {code: calls, name: Calls, aggregation: count}
plans:
  - code: pro
    name: Pro
    product: service
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 250}
      - {code: seats, name: Seats, kind: seat, unit_amount: 20, quantity: 1}
  - code: basic
    name: Basic
    product: service
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 10}
"""
RAMP = """\
contract: globex
plan: pro
name: Pro for Globex
term: 9 months
charges:
  - {code: base, amount: 100}
  - {code: seats, unit_amount: 10}
ramp:
  - after: 3 months
    charges: [{code: base, amount: 150}]
  - after: 6 months
    charges: [{code: base, amount: 200}, {code: seats, unit_amount: 9}]
"""


@pytest.fixture
def globex(acme: Company) -> Company:
    acme.sell(BOOK)
    acme.customer("globex")
    return acme


def agree(company: Company, source: str = RAMP, *, customer: str = "globex", on: str = "2025-12-01") -> Contract:
    with company.work() as uow:
        return agree_contract(
            uow,
            source.encode(),
            customer_id=company.customer_of(customer),
            now=instant(on),
            actor="ada",
            reason="signed",
        )


def begin(
    company: Company, starts: str, *, customer: str = "globex", on: str | None = None, **terms: Any
) -> Subscription:
    """Subscribe a customer to the contract globex as its subscription g1."""
    request = NewSubscription(
        external_id="g1", customer_id=company.customer_of(customer), plan="globex", starts_at=instant(starts), **terms
    )
    with company.work() as uow:
        subscribe_to_contract(uow, request, now=instant(on or starts), actor="ada", reason="signed")
    return company.subscription("g1")


def move(company: Company, on: str, *, at: str | None = None) -> Subscription:
    """Move the subscription g1 to the newest version of the contract globex."""
    standing = company.subscription("g1")
    with company.work() as uow:
        return move_to_contract(
            uow,
            standing.id,
            contract="globex",
            effective=instant(at) if at else "now",
            version=standing.version,
            now=instant(on),
            actor="ada",
            reason="amended",
        )


def base_fees(company: Company, *months: str) -> list[str]:
    """Bill at the start of each month; return the base fees of the documents, in order."""
    documents = "\n".join(company.bill(month) for month in months)
    return [line.split()[-1] for line in documents.splitlines() if line.startswith("base ")]


def test_a_ramp_of_three_steps_is_billed_to_its_end(globex: Company) -> None:
    """Three months each at 100, 150 and 200; the seat at 10, in the last step at 9. After nine months it is over."""
    agree(globex)
    standing = begin(globex, "2026-01-01")

    assert standing.ends_at == instant("2026-10-01")
    assert standing.version == 3  # the start, and a step ahead each in April and in July
    assert globex.bill("2026-01-01") == told(
        """
        INV-1 g1 2026-01-01
        base  2026-01-01 2026-02-01 100.00
        seats 2026-01-01 2026-02-01  10.00
        total 110.00 due 110.00
        """
    )
    months = [f"2026-{month:02}-01" for month in range(2, 11)]
    assert base_fees(globex, *months) == ["100.00"] * 2 + ["150.00"] * 3 + ["200.00"] * 3
    assert globex.document("INV-9").lines[1].amount_minor == 900
    assert len(globex.names()) == 9


def test_seats_that_change_on_the_way_go_on_in_the_next_steps(globex: Company) -> None:
    """Four seats from February on: 40 a month, 36 from July on. The step of April must not reset them to one."""
    agree(globex)
    begin(globex, "2026-01-01")
    globex.run("2026-01-01")
    globex.change_seats("g1", 4, "2026-02-01")

    globex.run("2026-07-01")

    april, july = globex.document("INV-4"), globex.document("INV-7")
    assert [(line.charge_code, line.amount_minor) for line in april.lines] == [("base", 15_000), ("seats", 4_000)]
    assert [(line.charge_code, line.amount_minor) for line in july.lines] == [("base", 20_000), ("seats", 3_600)]


def test_who_leaves_the_contract_leaves_the_ramp(globex: Company) -> None:
    """On the plan basic since February, for good: the steps of April and July find nothing to go on from."""
    agree(globex)
    begin(globex, "2026-01-01")
    globex.run("2026-01-01")
    globex.change_plan("g1", "basic", "2026-02-01")

    assert base_fees(globex, *(f"2026-{month:02}-01" for month in range(2, 9))) == ["10.00"] * 7


def test_a_step_inside_a_month_costs_each_part_its_share(globex: Company) -> None:
    """Known ahead, nothing is billed too much: 15 of 30 days at 100 on 1 April, 15 at 150 on 16 April."""
    agree(
        globex,
        RAMP.replace("after: 3 months", "from: 2026-04-16T00:00:00Z").replace(
            "after: 6 months", "from: 2026-07-01T00:00:00Z"
        ),
    )
    begin(globex, "2026-04-01", quantities={"seats": 0})

    assert base_fees(globex, "2026-04-01", "2026-04-16", "2026-05-01") == ["50.00", "75.00", "150.00"]


def test_who_comes_late_begins_on_the_step_that_holds(globex: Company) -> None:
    """A start in May, after the step of 1 April: 150 at once, 200 from July on."""
    agree(
        globex,
        RAMP.replace("after: 3 months", "from: 2026-04-01T00:00:00Z").replace(
            "after: 6 months", "from: 2026-07-01T00:00:00Z"
        ),
    )
    begin(globex, "2026-05-01")

    assert base_fees(globex, "2026-05-01", "2026-06-01", "2026-07-01") == ["150.00", "150.00", "200.00"]


def test_steps_count_from_the_end_of_the_trial(globex: Company) -> None:
    """Free until 1 February, then three months at 100: the second step is that of May, the end that of November."""
    agree(globex)
    standing = begin(globex, "2026-01-01", trial_days=31)

    assert standing.ends_at == instant("2026-11-01")
    assert base_fees(globex, "2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01") == ["100.00"] * 3 + ["150.00"]


def test_an_amendment_goes_on_where_the_former_version_was(globex: Company) -> None:
    """In May the step of July is agreed at 170 instead of 200, and the months from then on at 140 instead of 150."""
    agree(globex)
    begin(globex, "2026-01-01")
    assert base_fees(globex, *(f"2026-{month:02}-01" for month in range(1, 5))) == ["100.00"] * 3 + ["150.00"]
    agree(globex, RAMP.replace("amount: 150", "amount: 140").replace("amount: 200", "amount: 170"), on="2026-04-20")

    move(globex, "2026-04-20", at="2026-05-01")

    assert base_fees(globex, *(f"2026-{month:02}-01" for month in range(5, 11))) == ["140.00"] * 2 + ["170.00"] * 3
    assert len(globex.names()) == 9


def test_an_amendment_may_shorten_or_prolong_the_term(globex: Company) -> None:
    agree(globex)
    begin(globex, "2026-01-01")
    agree(globex, RAMP.replace("term: 9 months", "term: 2 years"), on="2026-04-20")

    assert move(globex, "2026-04-20").ends_at == instant("2028-01-01")

    agree(globex, RAMP.replace("term: 9 months", "term: 7 months"), on="2026-04-21")
    assert move(globex, "2026-04-21").ends_at == instant("2026-08-01")


def test_a_customer_without_a_contract_moves_to_one(globex: Company) -> None:
    """Three seats of the public plan, 250 and 60 a month; from March on the contract, in its first step: 100 and 30."""
    globex.subscribe("g1", "pro", "2026-01-01", customer="globex", quantities={"seats": 3})
    globex.run("2026-02-01")
    agree(globex, RAMP.replace("after: 3 months", "after: 4 months"), on="2026-02-10")

    standing = move(globex, "2026-02-10", at="2026-03-01")

    assert standing.ends_at == instant("2026-10-01")
    assert base_fees(globex, "2026-03-01", "2026-04-01", "2026-05-01") == ["100.00", "100.00", "150.00"]
    assert globex.document("INV-3").lines[1].amount_minor == 3_000


def test_a_commitment_over_the_whole_contract_is_trued_up_once(globex: Company) -> None:
    """Nine months at 100 and no seats are 900; 1,000 are committed over the whole: 100 are due at the end."""
    flat = RAMP.split("ramp:", maxsplit=1)[0]
    committed = flat + "  - {code: least, name: Minimum spend, kind: commitment, interval: 9 months, amount: 1000}\n"
    agree(globex, committed)
    begin(globex, "2026-01-01", quantities={"seats": 0})
    for month in range(1, 10):
        globex.run(f"2026-{month:02}-01")

    assert globex.bill("2026-10-01") == told(
        """
        INV-10 g1 2026-10-01
        least 2026-01-01 2026-10-01 100.00
        total 100.00 due 100.00
        """
    )


def test_a_step_may_not_cut_what_is_measured_over_the_contract(globex: Company) -> None:
    committed = RAMP.replace(
        "ramp:", "  - {code: least, name: Minimum spend, kind: commitment, interval: 9 months, amount: 1000}\nramp:"
    )
    agree(globex, committed)

    with pytest.raises(
        SubscriptionsRefused, match=r"charges\.least: the step of 2026-04-01T00:00:00Z would cut a period of 9 months"
    ):
        begin(globex, "2026-01-01")


def test_commitments_that_ramp_up_with_the_steps(globex: Company) -> None:
    """330 are committed over three months, 3 × 100 leave 30 short; then 400, which 3 × 150 and 3 × 200 exceed."""
    committed = RAMP.replace(
        "ramp:", "  - {code: least, name: Minimum spend, kind: commitment, interval: 3 months, amount: 330}\nramp:"
    ).replace(
        "charges: [{code: base, amount: 150}]", "charges: [{code: base, amount: 150}, {code: least, amount: 400}]"
    )
    agree(globex, committed)
    begin(globex, "2026-01-01", quantities={"seats": 0})
    for month in range(1, 10):
        globex.run(f"2026-{month:02}-01")

    true_ups = globex.rows(
        """
        select l.period_start::date::text, l.amount_minor from invoice_lines l join charges c on c.id = l.charge_id
        where c.code = 'least' and l.amount_minor <> 0 order by 1
        """
    )
    assert true_ups == [("2026-01-01", 3_000)]


def test_the_same_request_again_is_the_same_subscription(globex: Company) -> None:
    agree(globex)
    first = begin(globex, "2026-01-01")

    assert begin(globex, "2026-01-01", on="2026-02-01").id == first.id
    with pytest.raises(SubscriptionsRefused, match="made with other content"):
        begin(globex, "2026-01-02")


def test_the_contract_of_another_is_refused(globex: Company) -> None:
    agree(globex)
    globex.customer("initech")

    with pytest.raises(ContractOfAnother):
        begin(globex, "2026-01-01", customer="initech")


def test_prices_beside_those_of_the_contract_are_refused(globex: Company) -> None:
    agree(globex)

    with pytest.raises(SubscriptionsRefused, match="prices: a contract says its prices itself"):
        begin(globex, "2026-01-01", prices={"base": 1})


def test_a_contract_that_has_run_its_time_takes_nobody(globex: Company) -> None:
    agree(globex)
    globex.subscribe("g1", "pro", "2025-01-01", customer="globex", on="2025-01-01")

    with pytest.raises(TermsRefused, match="its term has ended by then, at 2025-10-01"):
        move(globex, "2026-01-01")


def test_a_billing_date_that_was_moved_stays_moved_in_the_next_steps(globex: Company) -> None:
    """From 15 February on the 15th. The step of 1 April cuts 15 March to 15 April: 17 of 31 days at 100, 14 at 150."""
    agree(globex)
    begin(globex, "2026-01-01", quantities={"seats": 0})
    globex.run("2026-02-01")
    standing = globex.subscription("g1")
    with globex.work() as uow:
        move_anchor(
            uow,
            standing.id,
            to=instant("2026-02-15"),
            effective=instant("2026-02-15"),
            version=standing.version,
            now=instant("2026-02-10"),
            actor="ada",
            reason="payday",
        )

    globex.run("2026-03-15")
    assert base_fees(globex, "2026-04-01", "2026-04-15", "2026-05-15") == ["67.74", "150.00", "150.00"]
