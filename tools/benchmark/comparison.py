"""Run, floor and naive job on copies of the same database, and whether they wrote the same."""

from dataclasses import dataclass
from typing import Final

from tenor.kernel.ids import TenantId
from tools.benchmark.floor import FloorFigures, measure_floor, prepare_run
from tools.benchmark.measured_run import RunFigures, measure_run
from tools.benchmark.naive import NaiveFigures, measure_naive
from tools.benchmark.process import step
from tools.benchmark.server import PrivateServer
from tools.benchmark.written import Written, export_rows, measured_documents, read_written

NAIVE_SUBSCRIPTIONS_MAX: Final = 5_000


class WroteDifferently(Exception):
    """Two jobs that should have written the same did not; their times cannot be compared."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure with one worker or connection, and the same with one for each core."""

    one: float
    all: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The three jobs over the same subscriptions; of them, the naive job takes the first ones only.

    `runs` and `floors`: with one worker or connection, then with one for each core. `written` are the totals that
    all of them agree in, `naive_written` those of the naive job and of the same part of the run.
    """

    runs: tuple[RunFigures, RunFigures]
    floors: tuple[FloorFigures, FloorFigures]
    naive: NaiveFigures
    written: Written
    naive_written: Written

    @property
    def times_the_floor(self) -> Pair:
        """How many times as long as the floor the run takes; that of all cores beside the faster floor."""
        best = min(floor.seconds for floor in self.floors)
        return Pair(self.runs[0].seconds / self.floors[0].seconds, self.runs[1].seconds / best)

    @property
    def times_as_fast_as_naive(self) -> Pair:
        """How many invoices the run makes while the naive job makes one."""
        naive = self.naive.microseconds_per_invoice
        return Pair(*(naive / run.microseconds_per_invoice for run in self.runs))


def compare(server: PrivateServer, tenant_id: TenantId, *, subscriptions: int, cores: int) -> Comparison:
    """Measure the three jobs, each on a fresh copy of the base database.

    Raises:
        WroteDifferently: a job's totals or documents are not the run's.
    """
    naive_subscriptions = min(NAIVE_SUBSCRIPTIONS_MAX, subscriptions)
    with server.clone() as settings:
        single = measure_run(settings, tenant_id, subscriptions=subscriptions, workers=1)
        documents = measured_documents(settings)
        written = read_written(settings, documents)
        naive_part = documents.head(naive_subscriptions)
        naive_written = read_written(settings, naive_part)
        with step("Encoding what it wrote", 2) as tell:
            whole = [export_rows(settings, documents, server.folder / "whole")]
            tell(1)
            parts = [
                export_rows(settings, part, server.folder / f"part-{number}")
                for number, part in enumerate(documents.cut(cores))
            ]
    with server.clone() as settings:
        parallel = measure_run(settings, tenant_id, subscriptions=subscriptions, workers=cores)
        _require_same(f"{cores} workers", read_written(settings, documents), written)
    floors = []
    for files in (whole, parts):
        with server.clone() as settings:
            prepare_run(settings, tenant_id, documents)
            floors.append(measure_floor(settings, files, rows=written.row_count))
            _require_same(f"floor over {len(files)} connections", read_written(settings, documents), written)
    with server.clone() as settings:
        prepare_run(settings, tenant_id, documents)
        naive = measure_naive(settings, tenant_id, documents, subscriptions=naive_subscriptions)
        _require_same("naive job", read_written(settings, naive_part), naive_written)
    return Comparison((single, parallel), (floors[0], floors[1]), naive, written, naive_written)


def _require_same(job: str, found: Written, expected: Written) -> None:
    if found != expected:
        raise WroteDifferently(f"{job}: wrote {found}, the run with one worker {expected}")
