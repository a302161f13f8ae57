"""The bill run itself, measured from outside: as `tenor bill` does it, in a process of its own."""

import multiprocessing
import os
from dataclasses import dataclass

from tenor.invoicing import BatchSummary, PlannedRun, bill
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.subscribers import SUBSCRIBERS
from tools.benchmark.process import in_own_process, peak_memory_mib, step
from tools.benchmark.subscribers import ACTOR, LINES_PER_INVOICE, MEASURED_RUN


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run. `seconds` is wall-clock time, planning and the end included; stages are summed over the workers.

    `peak_memory_mib` is the largest of the processes that did batches; None where the system does not tell.
    """

    invoices: int
    lines: int
    workers: int
    seconds: float
    stage_seconds: dict[str, float]
    peak_memory_mib: float | None

    @property
    def microseconds_per_invoice(self) -> float:
        """Wall-clock time of one invoice."""
        return self.seconds / self.invoices * 1e6


def measure_run(settings: Settings, tenant_id: TenantId, *, subscriptions: int, workers: int) -> RunFigures:
    """Carry out the measured run and return its figures.

    Raises:
        RuntimeError: it did not make an invoice of three lines for each of `subscriptions`.
    """
    figures = in_own_process(_run, settings, tenant_id, subscriptions, workers)
    if figures.invoices != subscriptions or figures.lines != LINES_PER_INVOICE * subscriptions:
        raise RuntimeError(f"{subscriptions} subscriptions gave {figures.invoices} invoices, {figures.lines} lines")
    return figures


def _run(settings: Settings, tenant_id: TenantId, subscriptions: int, workers: int) -> RunFigures:
    peaks: dict[int, float] = {}

    def watch(_run: PlannedRun, done: BatchSummary) -> None:
        tell(done.subscriptions)
        for process in multiprocessing.active_children():
            peak = peak_memory_mib(process.pid or 0)
            if peak is not None and process.pid is not None:
                peaks[process.pid] = peak

    with (
        Database.open(settings, subscribers=SUBSCRIBERS) as database,
        step(f"Bill run of {subscriptions:,} subscriptions, workers: {workers}", subscriptions) as tell,
    ):
        report = bill(
            database, settings, tenant_id, as_of=MEASURED_RUN, actor=ACTOR, workers=workers, on_progress=watch
        )[0]
    return RunFigures(
        invoices=report.document_count,
        lines=report.done.lines,
        workers=workers,
        seconds=report.seconds,
        stage_seconds=report.done.stage_seconds,
        peak_memory_mib=max(peaks.values(), default=peak_memory_mib(os.getpid())),
    )
