"""News that comes while a run has its batch loaded: it waits, it is not lost, and the next run settles it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from tenor.invoicing.bill_run import run as bill_run
from tenor.invoicing.bill_run.batch import Batch
from tenor.invoicing.bill_run.stages import STAGES, Stage
from tenor.metering import UsageEvent
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tests.integration.invoicing.conftest import EVE
from tests.support.company import Company, instant, take_usage, told
from tests.support.processes import wait_until

News = Callable[[Company], Any]


@pytest.fixture(autouse=True)
def _one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenor.invoicing.bill_run.plan.BATCH_SUBSCRIPTIONS", 100)


def test_a_seat_change_waits_for_the_run_and_the_next_one_settles_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell_during_run(company, monkeypatch, "meter", lambda other: other.change_seats("s08", 4, EVE, at="2026-01-17"))

    # Two more seats at 5.00: 15 of January's 31 days (4.8387, so 14.84 owed), and all of February.
    assert company.bill(EVE) == told("""
        INV-37 s08 2026-02-01
        seats  2026-01-01 2026-02-01   4.84
        seats  2026-02-01 2026-03-01  10.00
        tax 2.97  total 17.81  due 17.81
    """)
    company.assert_proven()


def test_an_upgrade_waits_for_the_run_and_the_next_one_settles_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell_during_run(company, monkeypatch, "meter", lambda other: other.change_plan("s05", "team", EVE))

    # Basic gives back its February, Team with two seats costs its own.
    assert company.bill(EVE) == told("""
        CN-3 s05 2026-02-01
        base   2026-02-01 2026-03-01  -31.00
        base   2026-02-01 2026-03-01   20.00
        seats  2026-02-01 2026-03-01   10.00
        tax -0.20  total -1.20  due 0.00
    """)
    company.assert_proven()


def test_a_cancellation_waits_for_the_run_and_the_next_one_settles_it(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell_during_run(company, monkeypatch, "rate", lambda other: other.cancel("s09", EVE, at="2026-01-01"))

    # January and February of Basic
    assert company.bill(EVE) == told("""
        CN-3 s09 2026-02-01
        base   2026-01-01 2026-02-01  -31.00
        base   2026-02-01 2026-03-01  -31.00
        tax -12.40  total -74.40  due 0.00
    """)
    company.assert_proven()


@pytest.mark.parametrize("stage", ["load", "meter", "rate", "finalise"])
def test_usage_of_the_month_that_is_being_billed_is_never_lost(
    company: Company, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """It was not late when it was taken, and is when the run that has not seen it ends."""
    _tell_during_run(company, monkeypatch, stage, _late_calls_of_eve)

    # 100 calls: 1.00 on each plan of Eve's that charges for them; the packages of s11 ended on 10 January.
    assert company.bill(EVE) == told("""
        INV-37 s02 2026-02-01
        calls  2026-01-01 2026-02-01  1.00
        tax 0.20  total 1.20  due 1.20
        INV-38 s08 2026-02-01
        calls  2026-01-01 2026-02-01  1.00
        tax 0.20  total 1.20  due 1.20
    """)
    company.assert_proven()


def test_usage_that_comes_before_the_run_has_its_locks_is_in_the_run(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    _tell_during_run(company, monkeypatch, "select", _late_calls_of_eve, has_to_wait=False)

    # 40 + 100 calls on each of the two Team plans; the package of s11 is for its last days on Committed, before.
    charged = company.rows(
        "select l.amount_minor from invoice_lines l join charges c on c.id = l.charge_id and c.code = 'calls'"
        " join invoices i on i.id = l.invoice_id join customers u on u.id = i.customer_id and u.external_id = 'eve'"
        " where l.issued_at = %s and l.period_start = %s",
        instant(EVE),
        instant("2026-01-01"),
    )
    assert sorted(charged) == [(140,), (140,), (200,)]
    assert company.bill(EVE) == ""
    company.assert_proven()


def test_news_of_several_items_takes_its_locks_in_the_order_of_a_run(company: Company) -> None:
    """Else each would hold what the other wants: the run the second of three items, the change the third."""
    company.change_plan("s04", "basic", EVE, at="2026-01-10")  # the second item
    company.change_plan("s04", "committed", "2026-02-02", at="2026-01-05")  # the third, which comes before the second
    items = company.rows(
        "select b.item_id from billing_positions b join subscriptions s on s.id = b.subscription_id"
        " where s.external_id = 's04' order by b.item_id"
    )
    lock = "select from billing_positions where item_id = any(%s) order by item_id for no key update"
    with ThreadPoolExecutor() as threads:
        with company.work() as uow:
            uow.execute("set local lock_timeout = '5s'")
            uow.execute(lock, [[item for (item,) in items[:2]]])
            change = threads.submit(company.cancel, "s04", "2026-02-03", at="2026-01-07")  # touches the last two
            wait_until(lambda: _waiting(company) == 1)
            uow.execute(lock, [[item for (item,) in items]])
        assert change.result().ends_at == instant("2026-01-07")
    company.run("2026-02-03")
    company.assert_proven()


def _late_calls_of_eve(company: Company) -> None:
    event = UsageEvent(
        event_id="late",
        source="test",
        customer="eve",
        metric_code="calls",
        occurred_at=instant("2026-01-28"),
        properties={"value": "100"},
    )
    with company.work() as uow:
        take_usage(uow, [event], now=instant(EVE))


def _tell_during_run(
    company: Company, monkeypatch: pytest.MonkeyPatch, stage: str, news: News, *, has_to_wait: bool = True
) -> None:
    """Carry out the run of the eve; before `stage`, tell the news, and let the run go on when that waits for it."""
    is_there, may_go_on = Event(), Event()

    def hold(_batch: Batch) -> None:
        is_there.set()
        assert may_go_on.wait(timeout=20)

    with monkeypatch.context() as patch, ThreadPoolExecutor() as threads:
        patch.setattr(bill_run, "STAGES", _before(stage, hold))
        run = threads.submit(company.run, EVE)
        assert is_there.wait(timeout=20)
        telling = threads.submit(_alone, company, news)
        try:
            wait_until(lambda: _waiting(company) == 1 if has_to_wait else telling.done())
        finally:
            may_go_on.set()
        run.result()
        telling.result()


def _alone(company: Company, news: News) -> None:
    with Database.open(company.settings) as database:
        news(Company(database, company.settings, company.tenant_id))


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
