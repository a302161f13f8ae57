"""However often, by however many and however interrupted a run is carried out, it gives the same documents once."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread

import psycopg
import pytest

from tenor.invoicing import BatchSummary, PlannedRun, bill
from tenor.invoicing.bill_run import run as bill_run
from tenor.invoicing.bill_run.stages import STAGES, Batch, Stage
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tests.integration.invoicing.conftest import BATCH, EVE, Copy, written
from tests.support.company import Company, instant

Written = dict[str, list[str]]

ROOT = Path(__file__).parents[3]


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
    met = []

    def meet(batch: Batch) -> None:
        if not met:
            met.append(both_have_read.wait(timeout=20))

    monkeypatch.setattr(bill_run, "STAGES", _before("finalise", meet))
    reports = _all_at_once([lambda: _bill_alone(company)] * 2)

    assert written(company) == undisturbed
    assert sorted(report.done.batches for (report,) in reports) == [1, 3] or [
        report.done.batches for (report,) in reports
    ] == [2, 2]
    assert len({report.run_id for (report,) in reports}) == 1


def test_whoever_comes_second_waits_for_the_batch_in_work_and_opens_no_run_of_its_own(
    company: Company, undisturbed: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenor.invoicing.bill_run.plan.BATCH_SUBSCRIPTIONS", 100)  # a single batch
    both_run = Barrier(2)
    monkeypatch.setattr(bill_run, "STAGES", _before("finalise", lambda _batch: _linger(both_run, seconds=0.5)))

    reports = _all_at_once([lambda: _bill_alone(company), lambda: _bill_alone(company)])

    assert sorted(report.done.batches for (report,) in reports) == [0, 1]
    assert len(company.rows("select id from bill_runs where as_of = %s", instant(EVE))) == 1
    assert written(company)["invoice_lines"] == undisturbed["invoice_lines"]


@pytest.mark.parametrize("seed", range(5))
def test_killed_at_any_point_and_started_again_it_writes_the_same(
    company: Company, undisturbed: Written, seed: int
) -> None:
    chance = random.Random(seed)
    batch = chance.randint(1, 4)
    stage = chance.choice([name for name, _ in STAGES])

    with _process(company, workers=1) as process:
        said = _read_until(process, f"{batch} {stage}")
        time.sleep(chance.random() * 0.01)
        process.kill()

    assert "finished" not in said
    assert [report.is_resumed for report in company.run(EVE)] == [True]
    assert written(company) == undisturbed
    assert _numbers(company, "INV") == list(range(1, len(_numbers(company, "INV")) + 1))
    company.assert_proven()


def test_killed_with_all_its_workers_and_started_again_it_writes_the_same(
    company: Company, undisturbed: Written
) -> None:
    with _process(company, workers=2) as process:
        _read_until(process, "done 1")
        os.killpg(process.pid, signal.SIGKILL)
    _wait_for_end_of_others(company)

    company.run(EVE)

    assert written(company) == undisturbed


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


def test_a_batch_that_is_done_out_of_turn_is_done_again(
    company: Company, undisturbed: Written, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first batch's worker dies when the second one waits for it, in the first run ever of a currency."""
    second_is_there = Barrier(2)

    def die_in_the_first(batch: Batch) -> None:
        if batch.number == 1 and not died:
            died.append(second_is_there.wait(timeout=20))
            raise ConnectionAbortedError
        if batch.number == 2 and not waited:
            waited.append(second_is_there.wait(timeout=20))

    died: list[int] = []
    waited: list[int] = []
    monkeypatch.setattr(bill_run, "STAGES", _before("finalise", die_in_the_first))
    _all_at_once([lambda: _bill_alone(company)] * 2, expected=ConnectionAbortedError)

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

    with pytest.raises(Exception, match="has billed beyond") as refused:
        company.run("2026-01-15")

    assert getattr(refused.value, "code", None) == "run_in_the_past"


def _before(name: str, action: Callable[[Batch], None]) -> tuple[tuple[str, Stage], ...]:
    """Return the stages of the bill run with `action` before the stage `name`."""

    def wrapped(stage: Stage) -> Stage:
        def acting(uow: UnitOfWork, batch: Batch) -> None:
            action(batch)
            stage(uow, batch)

        return acting

    return tuple((known, wrapped(stage) if known == name else stage) for known, stage in STAGES)
