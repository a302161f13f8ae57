"""Changes, decisions and runs at once: nothing is billed twice or lost, and who comes too late is told so."""

import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from threading import Barrier, Event
from typing import Any

import pytest

from tenor.invoicing import (
    BillingSettingsChange,
    accept_quote,
    charge_once,
    quote_change,
    record_payment,
    set_billing_settings,
    settle_now,
)
from tenor.invoicing.adjustments import AdjustmentTaken
from tenor.invoicing.bill_run import run as bill_run
from tenor.invoicing.bill_run.batch import Batch
from tenor.invoicing.bill_run.stages import STAGES, Stage
from tenor.kernel.errors import Refusal
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import Subscription, VersionConflict, add_add_on, cancel, change_quantity, find_subscription
from tests.support.company import Company, instant
from tests.support.deeds_by_lot import any_deed
from tests.support.documents import doing, open_shop, payment, stands
from tests.support.eventful import EVE, adjust
from tests.support.postgres import Server
from tests.support.processes import wait_until

CHANGERS = 4
DEEDS = 12


@pytest.mark.parametrize("seed", range(2))
def test_runs_and_deeds_by_lot_at_once_end_proven(eventful: Company, seed: int) -> None:
    """Two callers carry out runs, one of them with two workers, while four others change, decide and settle at once."""
    _settle(eventful, "ref3", 3)  # and the partitions of April are there: to make them, all others would have to wait

    def bill_again_and_again(workers: int) -> int:
        with _alone(eventful) as other:
            for _ in range(2):
                other.run(EVE, workers=workers)
        return 0

    def do(number: int) -> int:
        lot, made = random.Random(10 * seed + number), 0  # noqa: S311  # a lot, no secret
        with _alone(eventful) as other:
            for step in range(DEEDS):
                now = instant(EVE) + timedelta(seconds=lot.choice((0, 0, 1, number, step)))
                try:
                    any_deed(other, lot, now, key=f"{number}-{step}")
                    made += 1
                except Refusal:
                    continue
        return made

    with ThreadPoolExecutor() as threads:
        runs = [threads.submit(bill_again_and_again, workers) for workers in (1, 2)]
        made = sum(threads.map(do, range(CHANGERS)))
        for run in runs:
            run.result()

    assert made > CHANGERS * DEEDS // 4
    eventful.assert_proven()
    eventful.run("2026-05-20")
    eventful.assert_proven()
    assert eventful.prove().pending == 0
    assert eventful.bill("2026-05-20") == ""


def test_of_two_quotes_that_are_accepted_at_once_one_holds(eventful: Company) -> None:
    """The same storage would be added twice: both digests are right, only the version tells the second acceptance."""
    eventful.run(EVE)
    as_of = instant("2026-04-10")
    version = eventful.subscription("bob2").version
    change = _adding_storage("bob2", version)
    with eventful.work() as uow:
        quote = quote_change(uow, change, as_of=as_of)
    both_are_there = Barrier(2)

    def accept(_: int) -> object:
        with _alone(eventful) as other, other.work() as uow:
            both_are_there.wait(timeout=20)
            return accept_quote(uow, change, as_of=as_of, digest=quote.digest, now=as_of)

    with ThreadPoolExecutor() as threads:
        futures = [threads.submit(accept, number) for number in range(2)]
        raised = [type(future.exception()) for future in futures]

    assert set(raised) == {type(None), VersionConflict}
    # 4 disks at 3.10 for 21 of 30 days: 12.40 × 21/30 = 8.68
    assert [line.amount_minor for line in eventful.document("INV-56").lines] == [868]
    eventful.assert_proven()


def test_twenty_payments_at_once_pay_an_invoice_once(company_of_ann: Company) -> None:
    """20 × 2.00 for 29.79: 10.21 are left over, and there are twenty receipts without a gap."""
    requests = [payment(company_of_ann, 2_00, "2026-01-10", reference=f"wire {number}") for number in range(20)]

    def pay(number: int) -> int:
        with _alone(company_of_ann) as other, other.work() as uow:
            return record_payment(uow, requests[number], **doing("2026-01-10")).to_credit_minor

    with ThreadPoolExecutor(max_workers=8) as threads:
        to_credit_minor = list(threads.map(pay, range(20)))

    assert sum(to_credit_minor) == 10_21
    assert stands(company_of_ann, "INV-1") == ("paid", 0)
    assert company_of_ann.rows("select sum(amount_minor)::bigint, count(*) from allocations") == [(29_79, 15)]
    assert company_of_ann.rows("select number from receipts order by 1") == [(number,) for number in range(1, 21)]
    company_of_ann.assert_proven()


@pytest.mark.parametrize("is_together", [True, False])
def test_consolidation_that_changes_between_plan_and_batch(
    eventful: Company, monkeypatch: pytest.MonkeyPatch, *, is_together: bool
) -> None:
    """What was planned apart is not brought together in this run, and the other way round; all of it is billed once.

    With batches of one, several of the run have a document that is the customer's, for the same day.
    """
    monkeypatch.setattr("tenor.invoicing.bill_run.plan.BATCH_SUBSCRIPTIONS", 1)
    customer = eventful.customer_of("bob" if is_together else "ann")
    done: list[int] = []

    def change_settings(_batch: Batch) -> None:
        if done:
            return
        done.append(1)
        with _alone(eventful) as other, other.work() as uow:
            change = BillingSettingsChange(consolidates=is_together)
            set_billing_settings(uow, customer, change, **doing(EVE))

    with monkeypatch.context() as patch:
        patch.setattr(bill_run, "STAGES", _before("select", change_settings))
        eventful.run(EVE)

    eventful.assert_proven()
    assert eventful.bill(EVE) == ""
    eventful.run("2026-05-01")
    eventful.assert_proven()
    kinds = eventful.rows(
        "select distinct subscription_id is null from invoices where customer_id = %s and billed_for = %s",
        customer,
        instant("2026-05-01"),
    )
    assert kinds == [(is_together,)]


def test_what_waits_for_a_document_stands_on_one(eventful: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody settles a subscription of ann's while a run has it in work: the charge is on the run's invoice."""
    in_work, may_end = Event(), Event()

    def hold(batch: Batch) -> None:
        if "ann1" in {work.subscription.external_id for work in batch.works}:
            in_work.set()
            assert may_end.wait(timeout=20)

    with monkeypatch.context() as patch, ThreadPoolExecutor() as threads:
        patch.setattr(bill_run, "STAGES", _before("finalise", hold))
        run = threads.submit(eventful.run, EVE)
        assert in_work.wait(timeout=20)
        settled = threads.submit(_settle, eventful, "ann1", 5)
        try:
            wait_until(lambda: _waiting(eventful) > 0)
        finally:
            may_end.set()
        run.result(timeout=60)
        settled.result(timeout=60)

    claims = eventful.rows(
        "select i.run_id is not null from adjustment_claims c join adjustments a on a.id = c.adjustment_id"
        " join invoices i on i.id = c.invoice_id join customers u on u.id = a.customer_id"
        " where u.external_id = 'ann'"
    )
    assert claims == [(True,)]
    eventful.assert_proven()


def test_an_adjustment_that_two_documents_want_is_taken_by_one(company_of_ann: Company) -> None:
    """Ann's first subscription is settled; before that is committed, one that goes before it is settled too."""
    _settle(company_of_ann, "ann", 2, "2026-01-09")  # and the partitions of January are there
    adjust(company_of_ann, charge_once, "ann", 7_00, "2026-01-10", currency="EUR")

    def settle_the_earlier_one() -> None:
        with _alone(company_of_ann) as other:
            earlier = other.subscribe("earlier", "basic", "2026-01-11", on="2025-12-01")
            with other.work() as uow:
                settle_now(uow, [earlier], as_of=instant("2026-01-11"), recorded_at=instant("2026-01-11"))

    with ThreadPoolExecutor() as threads:
        with company_of_ann.work() as uow:
            _settle_seats(uow, "ann", 3, "2026-01-11")
            late = threads.submit(settle_the_earlier_one)
            wait_until(lambda: _waiting(company_of_ann) > 0)
        with pytest.raises(AdjustmentTaken):
            late.result(timeout=20)

    company_of_ann.run("2026-01-12")
    assert company_of_ann.rows("select count(*) from adjustment_claims") == [(1,)]
    company_of_ann.assert_proven()


def test_a_subscription_that_is_settled_before_its_batch_is_looked_at_by_it_no_more(
    eventful: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planned it was, so the run has an outcome less than it planned; what it did not look at was billed elsewhere."""
    done: list[int] = []

    def settle_first(batch: Batch) -> None:
        if batch.number == 1 and not done:
            done.append(1)
            with _alone(eventful) as other:
                for name in ("cap1", "cap2"):
                    _settle(other, name, 4)

    with monkeypatch.context() as patch:
        patch.setattr(bill_run, "STAGES", _before("select", settle_first))
        (report,) = eventful.run(EVE)

    assert report.planned_subscriptions - report.done.subscriptions == 2
    eventful.assert_proven()
    assert eventful.bill(EVE) == ""


def test_two_subscriptions_of_a_customer_are_settled_at_one_instant(eventful: Company) -> None:
    """Both have the same version, and both documents are the customer's."""
    eventful.run(EVE)
    before = len(eventful.names())
    for name in ("ann2", "ann3"):
        with eventful.work() as uow:
            held = find_subscription(uow, name)
            gone = cancel(uow, held.id, effective="now", version=held.version, **doing("2026-04-05"))
            settle_now(uow, [gone], as_of=instant("2026-04-05"), recorded_at=instant("2026-04-05"))

    assert len(eventful.names()) == before + 2
    eventful.assert_proven()


def test_a_charge_waits_for_the_first_subscription_in_its_currency(eventful: Company) -> None:
    """Gus has two subscriptions in dollars, which are older than the one in euros."""
    adjust(eventful, charge_once, "gus", 5_00, "2026-03-20", currency="EUR")

    eventful.run("2026-04-10")

    assert eventful.rows(
        "select i.currency, a.amount_minor from adjustment_claims c join adjustments a on a.id = c.adjustment_id"
        " join invoices i on i.id = c.invoice_id where a.customer_id = %s order by 1",
        eventful.customer_of("gus"),
    ) == [("EUR", 5_00), ("USD", 10_03)]
    eventful.assert_proven()


@pytest.fixture
def company_of_ann(server: Server, template: str) -> Iterator[Company]:
    """Ann owes INV-1 of 29.79; see `open_shop`."""
    with server.fresh_database(template) as name:
        settings = server.settings(name)
        with Database.open(settings) as database:
            company = Company.found(database, settings)
            open_shop(company)
            yield company


@contextmanager
def _alone(company: Company) -> Iterator[Company]:
    """Yield the company with connections of one's own, as another process would have it."""
    with Database.open(company.settings) as database:
        yield Company(database, company.settings, company.tenant_id)


def _adding_storage(name: str, version: int) -> Callable[[UnitOfWork, datetime], Sequence[Subscription]]:
    def change(uow: UnitOfWork, at: datetime) -> list[Subscription]:
        held = find_subscription(uow, name)
        decided: dict[str, Any] = {"version": version, "now": at, "actor": "test", "reason": ""}
        return [add_add_on(uow, held.id, plan="storage", effective="now", **decided)]

    return change


def _settle(company: Company, name: str, seats: int, on: str = EVE) -> None:
    with company.work() as uow:
        _settle_seats(uow, name, seats, on)


def _settle_seats(uow: UnitOfWork, name: str, seats: int, on: str) -> None:
    held = find_subscription(uow, name)
    terms: dict[str, Any] = {"quantities": {"seats": Decimal(seats)}, "effective": "now", "version": held.version}
    changed = change_quantity(uow, held.id, **terms, **doing(on))
    settle_now(uow, [changed], as_of=instant(on), recorded_at=instant(on))


def _before(name: str, action: Callable[[Batch], None]) -> tuple[tuple[str, Stage], ...]:
    def acting(uow: UnitOfWork, batch: Batch) -> None:
        action(batch)
        dict(STAGES)[name](uow, batch)

    return tuple((known, acting if known == name else stage) for known, stage in STAGES)


def _waiting(company: Company) -> int:
    with company.database.setup() as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
    return row[0] if row else 0
