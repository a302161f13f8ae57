"""However often, by however many and however interrupted a run is carried out, it gives the same documents once."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event
from typing import Final

import psycopg
import pytest

from tenor.invoicing import BatchSummary, BillRunReport, PlannedRun, bill
from tenor.invoicing.bill_run import run as bill_run
from tenor.invoicing.bill_run.batch import Batch
from tenor.invoicing.bill_run.plan import RunInThePast
from tenor.invoicing.bill_run.stages import STAGES, Stage
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tests.integration.invoicing.conftest import BATCH, EVE, Copy, written
from tests.support.company import Company, instant
from tests.support.eventful import EVE as EVE_OF_EVERYTHING
from tests.support.processes import wait_until

Written = dict[str, list[str]]

ROOT: Final = Path(__file__).parents[3]


class Died(BaseException):
    """Stands for the death of who carries out a run."""


def test_a_second_run_finds_nothing_to_bill(company: Company, undisturbed: Written) -> None:
    first, again = company.run(EVE), company.run(EVE)

    assert [report.planned_subscriptions for report in first] == [12]
    assert [(report.planned_subscriptions, report.document_count) for report in again] == [(0, 0)]
    after = written(company)
    assert {table for table in after if after[table] != undisturbed[table]} == {"bill_runs"}


def test_the_month_after_is_billed_and_proven(company: Company) -> None:
    company.run(EVE)
    company.run("2026-03-01")

    company.assert_proven()


def test_two_that_bill_at_once_share_one_run(
    company: Company, undisturbed: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read what they need, also the credit that the first batch adds to, before either writes."""
    both_have_read = Barrier(2)
    met: list[int] = []

    def meet(_batch: Batch) -> None:
        if not met:
            met.append(both_have_read.wait(timeout=20))

    monkeypatch.setattr(bill_run, "STAGES", _before("finalise", meet))
    with ThreadPoolExecutor() as threads:
        (one,), (other,) = threads.map(_bill_alone, [company, company])

    assert written(company) == undisturbed
    assert one.run_id == other.run_id
    assert one.done.batches + other.done.batches == 4


def test_who_comes_second_waits_for_the_batch_in_work_and_opens_no_run_of_its_own(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenor.invoicing.bill_run.plan.BATCH_SUBSCRIPTIONS", 100)  # a single batch
    in_work, may_end = Event(), Event()

    def hold(_batch: Batch) -> None:
        in_work.set()
        assert may_end.wait(timeout=20)

    monkeypatch.setattr(bill_run, "STAGES", _before("finalise", hold))
    with ThreadPoolExecutor() as threads:
        first = threads.submit(_bill_alone, company)
        assert in_work.wait(timeout=20)
        second = threads.submit(_bill_alone, company)
        wait_until(lambda: _waiting(company) == 1)
        may_end.set()

        assert [report.done.batches for report in first.result() + second.result()] == [1, 0]
    assert len(company.rows("select id from bill_runs where as_of = %s", instant(EVE))) == 1
    company.assert_proven()


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_point_and_started_again_it_writes_the_same(
    company: Company, undisturbed: Written, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # which point it is matters to nobody
    batch = chance.randint(1, 4)
    stage = chance.choice([name for name, _ in STAGES])

    with _process(company, workers=1) as process:
        said = _read_until(process, f"{batch} {stage}")
        time.sleep(chance.random() * 0.01)
        process.kill()

    assert "finished" not in said
    assert company.prove().findings == []  # what is there of an unfinished run is whole
    _go_on(company)
    assert written(company) == undisturbed
    assert _numbers(company, "INV") == list(range(1, len(_numbers(company, "INV")) + 1))
    company.assert_proven()


def test_killed_with_all_its_workers_and_started_again_it_writes_the_same(
    company: Company, undisturbed: Written
) -> None:
    with _process(company, workers=2) as process:
        _read_until(process, "done 1")
        os.killpg(process.pid, signal.SIGKILL)

    _go_on(company)

    assert written(company) == undisturbed


def test_so_it_does_with_everything_that_can_be_due(eventful_copy: Copy) -> None:
    company, undisturbed = eventful_copy(), eventful_copy()
    undisturbed.run(EVE_OF_EVERYTHING)

    with _process(company, workers=2, as_of=EVE_OF_EVERYTHING) as process:
        _read_until(process, "done 1")
        os.killpg(process.pid, signal.SIGKILL)
    assert company.prove().findings == []
    company.run(EVE_OF_EVERYTHING)

    assert written(company) == written(undisturbed)
    company.assert_proven()


def test_what_killed_workers_left_open_the_caller_does_itself(company: Company, undisturbed: Written) -> None:
    def kill_workers(_run: PlannedRun, _done: BatchSummary) -> None:
        for worker in multiprocessing.active_children():
            worker.kill()

    (report,) = bill(
        company.database,
        company.settings,
        company.tenant_id,
        as_of=instant(EVE),
        actor="test",
        workers=2,
        on_progress=kill_workers,
    )

    assert written(company) == undisturbed
    assert report.done.batches <= 4  # a worker that was killed after its commit could not tell


def test_two_workers_write_what_one_does(company: Company, undisturbed: Written) -> None:
    (report,) = company.run(EVE, workers=2)

    assert report.done.batches == 4
    assert written(company) == undisturbed


def test_a_batch_whose_turn_never_came_is_done_again(
    company: Company, undisturbed: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who does the first batch dies when the second one is about to wait for it."""
    second_is_there = Barrier(2)
    died: list[int] = []

    def die_in_the_first(batch: Batch) -> None:
        if batch.number in {1, 2} and not died:
            second_is_there.wait(timeout=20)
            if batch.number == 1:
                died.append(1)
                raise Died

    monkeypatch.setattr(bill_run, "STAGES", _before("finalise", die_in_the_first))
    with ThreadPoolExecutor() as threads:
        futures = [threads.submit(_bill_alone, company) for _ in range(2)]
        raised = [type(future.exception()) for future in futures]

    assert set(raised) == {Died, type(None)}
    assert written(company) == undisturbed


def test_a_position_that_was_set_back_cannot_bill_twice(company: Company, undisturbed: Written) -> None:
    """Whatever makes the run forget what it has settled, the claims refuse."""
    company.run(EVE)
    with company.work() as uow:
        uow.execute("update billing_positions set settled_through = null, next_due_at = %s", [instant(EVE)])

    with pytest.raises(psycopg.errors.UniqueViolation, match="claims"):
        company.run(EVE)

    assert written(company)["invoices"] == undisturbed["invoices"]


def test_a_run_before_the_last_one_is_refused(company: Company) -> None:
    company.run(EVE)

    with pytest.raises(RunInThePast, match="2026-02-01T00:00:00Z has billed beyond 2026-01-15T00:00:00Z"):
        company.run("2026-01-15")


def _before(name: str, action: Callable[[Batch], None]) -> tuple[tuple[str, Stage], ...]:
    """Return the stages of the bill run with `action` before the stage `name`."""

    def wrapped(stage: Stage) -> Stage:
        def acting(uow: UnitOfWork, batch: Batch) -> None:
            action(batch)
            stage(uow, batch)

        return acting

    return tuple((known, wrapped(stage) if known == name else stage) for known, stage in STAGES)


def _bill_alone(company: Company) -> list[BillRunReport]:
    """Carry out the run with connections of one's own, as another process would."""
    with Database.open(company.settings) as database:
        return bill(
            database, company.settings, company.tenant_id, as_of=instant(EVE), actor="test", workers=1
        )  # fmt: skip


def _go_on(company: Company) -> None:
    """Carry the run to its end, unless it came to it in the instant before it was to be killed."""
    if company.rows("select id from bill_runs where finished_at is null"):
        assert [report.is_resumed for report in company.run(EVE)] == [True]


def _waiting(company: Company) -> int:
    """Return how many sessions of this database wait for a lock."""
    with company.database.setup() as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
    return row[0] if row else 0


@contextmanager
def _process(company: Company, *, workers: int, as_of: str = EVE) -> Iterator["subprocess.Popen[str]"]:
    """Yield a process that carries out the run, in a process group of its own; it is killed afterwards."""
    urls = {
        "TENOR_DATABASE_URL": company.settings.database_url,
        "TENOR_APP_DATABASE_URL": company.settings.app_database_url,
        "TENOR_AUDITOR_DATABASE_URL": company.settings.auditor_database_url,
    }
    arguments = [str(company.tenant_id), as_of, str(BATCH), str(workers)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.integration.invoicing.billing_process", *arguments],
        cwd=ROOT,
        env={**os.environ, **{name: url for name, url in urls.items() if url}},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read_until(process: "subprocess.Popen[str]", wanted: str) -> list[str]:
    """Read what the process says up to the line `wanted`, and return it."""
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line.strip())
        if said[-1] == wanted:
            return said
    raise AssertionError(f"the process ended without saying {wanted!r}: {said}")


def _numbers(company: Company, series: str) -> list[int]:
    return [number for (number,) in company.rows("select number from invoices where series = %s order by 1", series)]
