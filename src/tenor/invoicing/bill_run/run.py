"""Carry out a bill run: workers take batches until none is left."""

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from time import perf_counter
from typing import Final, TypeVar

from psycopg.errors import DeadlockDetected

from tenor.invoicing.adjustments import AdjustmentTaken
from tenor.invoicing.bill_run.batch import Batch, Memory
from tenor.invoicing.bill_run.plan import PlannedRun, finish_run, is_batch_open, open_or_plan_run
from tenor.invoicing.bill_run.stages import STAGES, BatchOutOfTurn
from tenor.invoicing.rules.documents import Occasion
from tenor.invoicing.tax_quotes import prefetch_taxes
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import BillRunId, TenantId
from tenor.kernel.period import require_utc
from tenor.ledger import CreditGone
from tenor.platform.audit import Deed, record
from tenor.platform.database import Database
from tenor.platform.partitions import prepare_months_ahead
from tenor.platform.settings import Settings
from tenor.platform.statistics import refresh_statistics
from tenor.platform.telemetry import send_spans, span
from tenor.platform.unit_of_work import Subscribers, UnitOfWork
from tenor.subscriptions import advance, catch_up_credits
from tenor.taxes import Prefetched

T = TypeVar("T")

INLINE_BATCHES_MAX: Final = 3
"""Runs of up to so many batches are done in this process: starting workers would take longer."""

ATTEMPTS_MAX: Final = 20
"""How often a batch is begun before the run gives up on it: each time somebody else has got on instead."""


@dataclass(slots=True)
class BatchSummary:
    """What one batch, or all batches so far, came to. Totals are by (kind, currency), in minor units."""

    batches: int = 0
    subscriptions: int = 0
    parked: int = 0
    lines: int = 0
    documents: Counter[tuple[str, str]] = field(default_factory=Counter)
    totals_minor: Counter[tuple[str, str]] = field(default_factory=Counter)
    stage_seconds: dict[str, float] = field(default_factory=dict)

    def add(self, other: "BatchSummary") -> None:
        """Add what `other` came to."""
        self.batches += other.batches
        self.subscriptions += other.subscriptions
        self.parked += other.parked
        self.lines += other.lines
        self.documents.update(other.documents)
        self.totals_minor.update(other.totals_minor)
        for stage, seconds in other.stage_seconds.items():
            self.stage_seconds[stage] = self.stage_seconds.get(stage, 0.0) + seconds


@dataclass(frozen=True, slots=True)
class BillRunReport:
    """What a run did in this call. `seconds` is wall-clock time, planning included; `taxes`: of the tax engine."""

    run_id: BillRunId
    as_of: datetime
    planned_subscriptions: int
    is_resumed: bool
    done: BatchSummary
    seconds: float
    taxes: Prefetched

    @property
    def document_count(self) -> int:
        """Invoices and credit notes together."""
        return self.done.documents.total()


Progress = Callable[[PlannedRun, BatchSummary], None]
"""Told after each batch; the summary holds what is done so far."""


def bill(
    database: Database,
    settings: Settings,
    tenant_id: TenantId,
    *,
    as_of: datetime,
    actor: str,
    workers: int | None = None,
    on_progress: Progress | None = None,
) -> list[BillRunReport]:
    """Bill everything that is due for a tenant at `as_of`; return a report for each run carried out.

    An unfinished run, killed or still worked on elsewhere, is finished first. What is due by the
    calendar (starts, trial ends, cancellations; credit that is granted, lapses or is topped up) is moved before.
    A second call finds nothing to bill. `workers` defaults to one for each core.

    Raises:
        RunInThePast: a finished run was as of a later instant.
    """
    as_of = require_utc(as_of, name="as of")
    reports = []
    while True:
        begun = perf_counter()
        refresh_statistics(database, tenant_id)
        prepare_months_ahead(database, tenant_id, at=as_of)
        _unless_in_a_circle(lambda: catch_up_credits(database, tenant_id, now=as_of))
        run = _unless_in_a_circle(lambda: _planned(database, tenant_id, as_of=as_of))
        taxes = prefetch_taxes(database, settings, tenant_id, at=run.as_of)
        done = BatchSummary()
        for summary in _batches_done(database, settings, tenant_id, run, workers or os.cpu_count() or 1):
            done.add(summary)
            if on_progress:
                on_progress(run, done)
        with database.transaction(tenant_id) as uow:
            if finish_run(uow, run, now=datetime.now(UTC)):
                record(uow, [_deed(run, done, taxes, actor)])
        reports.append(
            BillRunReport(
                run.id, run.as_of, run.subscription_count, run.is_resumed, done, perf_counter() - begun, taxes
            )
        )
        if not (run.is_resumed and run.as_of < as_of):
            return reports


def _planned(database: Database, tenant_id: TenantId, *, as_of: datetime) -> PlannedRun:
    """Move what the calendar moves and plan the run, in one transaction."""
    with database.transaction(tenant_id) as uow:
        return plan_run(uow, as_of=as_of, now=datetime.now(UTC))


def _unless_in_a_circle(work: Callable[[], T]) -> T:
    """Do work in transactions of its own that can be repeated; after a deadlock it begins again."""
    attempts_left = ATTEMPTS_MAX
    while True:
        attempts_left -= 1
        try:
            return work()
        except DeadlockDetected:
            if not attempts_left:
                raise


def plan_run(uow: UnitOfWork, *, as_of: datetime, now: datetime) -> PlannedRun:
    """Plan a run of all that is due at `as_of`, or return the unfinished one; `bill` carries it out, now or later.

    What is due by the calendar is moved before. `now` is the recorded time.

    Raises:
        RunInThePast: a finished run was as of a later instant.
    """
    advance(uow, now=as_of)
    return open_or_plan_run(uow, as_of=as_of, now=now)


def bill_next_batch(database: Database, tenant_id: TenantId, run: PlannedRun, memory: Memory) -> BatchSummary | None:
    """Do the lowest open batch of a run in one transaction; None when every batch is done or in work.

    The batch is claimed by the lock on its row, which ends with this transaction however it ends. Where it
    met others on its way (a batch that did not finish, a credit that is gone, an adjustment that another document has
    taken, a deadlock), it begins again.
    """
    for attempts_left in reversed(range(ATTEMPTS_MAX)):
        try:
            with _collector_paused(), database.transaction(tenant_id) as uow:
                return _bill_batch(uow, run, memory)
        except (BatchOutOfTurn, CreditGone, AdjustmentTaken, DeadlockDetected):
            if not attempts_left:
                raise
    return None


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep the garbage collector from walking the values of a batch over and over: they form no cycles.

    All of them are freed by their counts when the batch is done; a tenth of a run's time went into looking.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _bill_batch(uow: UnitOfWork, run: PlannedRun, memory: Memory) -> BatchSummary | None:
    claimed = uow.fetch_one(
        "select batch_no from bill_run_batches where run_id = %s and finished_at is null"
        " order by batch_no limit 1 for no key update skip locked",
        [run.id],
    )
    if claimed is None:
        return None
    number = claimed[0]
    with span("bill_run.batch", tenant_id=str(uow.tenant_id), run_id=str(run.id), batch_no=number):
        return _through_stages(uow, Batch(Occasion(run.as_of, run.started_at, run.id), memory, run=run, number=number))


def _through_stages(uow: UnitOfWork, batch: Batch) -> BatchSummary:
    summary = BatchSummary(batches=1)
    for name, stage in STAGES:
        begun = perf_counter()
        with span(f"bill_run.{name}"):
            stage(uow, batch)
        summary.stage_seconds[name] = perf_counter() - begun
    uow.execute(
        "update bill_run_batches set finished_at = now(), outcome_count = %s where run_id = %s and batch_no = %s",
        [len(batch.works), batch.occasion.run_id, batch.number],
    )
    summary.subscriptions = len(batch.works)
    summary.parked = sum(work.parked is not None for work in batch.works)
    for draft in batch.drafts:
        key = (draft.kind.value, draft.currency)
        summary.documents[key] += 1
        summary.totals_minor[key] += draft.total_minor
        summary.lines += len(draft.lines)
    return summary


def _batches_done(
    database: Database, settings: Settings, tenant_id: TenantId, run: PlannedRun, workers: int
) -> Iterator[BatchSummary]:
    """Yield the summary of each batch that is done here, by workers or by this process; end when no batch is open.

    What a killed worker left open, this process does itself. A batch that another call works on is waited for.
    """
    if workers > 1 and run.batch_count > INLINE_BATCHES_MAX:
        count = min(workers, run.batch_count)
        yield from _done_by_workers(settings, database.subscribers, tenant_id, run, count=count)
    memory = Memory()
    is_open = True
    while is_open:
        while (summary := bill_next_batch(database, tenant_id, run, memory)) is not None:
            yield summary
        is_open = _is_batch_open(database, tenant_id, run)


def _is_batch_open(database: Database, tenant_id: TenantId, run: PlannedRun) -> bool:
    with database.transaction(tenant_id) as uow:
        return is_batch_open(uow, run)


def _done_by_workers(
    settings: Settings, subscribers: Subscribers, tenant_id: TenantId, run: PlannedRun, *, count: int
) -> Iterator[BatchSummary]:
    """Yield what `count` worker processes do; end when all have ended, however they did.

    Each has a pipe of its own: of a queue that they share, a killed worker could take the lock with it.
    """
    context = multiprocessing.get_context("spawn")
    processes = []
    receivers: list[Connection] = []
    try:
        for _ in range(count):
            receiver, sender = context.Pipe(duplex=False)
            receivers.append(receiver)
            task = (settings, subscribers, tenant_id, run, sender)
            processes.append(context.Process(target=_work, args=task, daemon=True))
            processes[-1].start()
            sender.close()
        while receivers:
            ready = wait(receivers)
            for receiver in [one for one in receivers if one in ready]:
                try:
                    result = receiver.recv()
                except (EOFError, OSError):
                    receivers.remove(receiver)
                    receiver.close()
                    continue
                if isinstance(result, BaseException):
                    raise result
                yield result
    finally:
        for receiver in receivers:
            receiver.close()
        for process in processes:
            process.terminate()
            process.join()


def _work(
    settings: Settings, subscribers: Subscribers, tenant_id: TenantId, run: PlannedRun, results: Connection
) -> None:
    """Do batches until none is open; runs in a worker process with a database of its own."""
    send_spans("tenor")
    try:
        with Database.open(settings, subscribers=subscribers) as database:
            memory = Memory()
            while (summary := bill_next_batch(database, tenant_id, run, memory)) is not None:
                results.send(summary)
    except Refusal as refusal:
        results.send(refusal)
    except Exception as error:
        results.send(RuntimeError(f"a worker of the bill run failed: {type(error).__name__}: {error}"))
        raise


def _deed(run: PlannedRun, done: BatchSummary, taxes: Prefetched, actor: str) -> Deed:
    totals = {f"{kind} {currency}": total for (kind, currency), total in sorted(done.totals_minor.items())}
    return Deed(
        actor=actor,
        action="bill_run.finished",
        object_type="bill_run",
        object_id=run.id,
        reason=f"as of {run.as_of.isoformat()}",
        occurred_at=run.as_of,
        after={
            "batches": done.batches,
            "documents": done.documents.total(),
            "totals_minor": totals,
            "default_taxes": taxes.from_fallback,
        },
    )
