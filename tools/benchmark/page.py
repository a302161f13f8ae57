"""The page docs/benchmarks.md, written from the figures."""

from collections.abc import Iterable, Sequence
from typing import Final

from tools.benchmark import api, ingest
from tools.benchmark.api import ApiFigures
from tools.benchmark.comparison import Comparison
from tools.benchmark.ingest import UsageFigures
from tools.benchmark.machine import Machine
from tools.benchmark.measured_run import RunFigures
from tools.benchmark.results import Results

FLOOR_TIMES_MAX: Final = 3.0
NAIVE_TIMES_MIN: Final = 8.0
FLAT_TIMES_MAX: Final = 1.2
INGEST_SHARE_MIN: Final = 0.4
INGEST_THOUSANDS_MIN: Final = 60.0
READING_MILLISECONDS_MAX: Final = 5.0
API_THOUSANDS_MIN: Final = 40.0
"""The aims. What is flat may differ by a fifth, which is what two runs of the same size differ by on a busy machine."""

_HEAD: Final = """\
# Benchmarks

Written by `make bench` and not by hand. All figures come from one run of it, on a private embedded server with the
settings that the product starts it with, and times are wall-clock times.
"""

_WHAT_IS_MEASURED: Final = """\
Each subscription has a base fee and a number of seats, both in advance, and graduated usage in arrears with one or two
events. Its first month was billed before. The measured run makes one invoice of three lines for each: base fee and
seats of the second month, usage of the first. No two subscriptions begin in the same second or use the same number of
units, so that no period or price that has been worked out once serves twice.
"""

_WHERE_TIME_GOES: Final = """\
Microseconds of one invoice in each stage, summed over the workers. With several workers a stage includes waiting for a
core, and `finalise` also waiting for the batch before, whose numbers come first.
"""

_SIDES: Final = """\
## What is in each side

Each job runs on its own copy of the same database (`create database … strategy file_copy`), whose tables have been
vacuumed and analysed, after a checkpoint.

- **Bill run**: what `tenor bill` does, from planning to the audit record: it selects what is due and locks it, loads
  subscriptions and timelines, reads what is settled and the usage, rates, discounts, trues up commitments, settles,
  taxes, draws credit, takes gapless numbers, works out digests, and writes, in batches of 1,000 subscriptions with one
  transaction each. It writes as the role `tenor_app` under row-level security, to which COPY into the tables is
  refused: rows go through a stage. Starting the worker processes is inside.
- **Floor**: binary COPY of exactly the rows that this run wrote, already encoded, as the owner of the tables, with
  row-level security off, one transaction for each connection. Every constraint, foreign key, index and partition is in
  place, and the commit is waited for. It reads nothing, works out nothing, moves no billing position and takes no
  number. The run, its partitions and the ledger's accounts are there before. Over several connections the rows are
  split by document.
- **Naive job**: one transaction for each subscription over one connection, as `tenor_app` under row-level security,
  with a statement for each thing it asks for (subscription, tax, item, phases, plan, usage) and one for each row it
  writes, prepared by the driver after the fifth use. It decides with the engine's own pure functions and writes the
  same rows. It is measured on {naive:,} of the subscriptions and compared by the time of one invoice.
- **Memory** is the largest resident set that one worker process ever had; the server's processes are not in it.
"""

_USAGE: Final = """\
Batches of {batch:,} events from {senders} senders at once, each in a process of its own: every batch is checked,
deduplicated for ever, added up by the hour (as a whole and by the dimension that a charge prices by), committed and on
disk before the next one is sent. Usage is of {customers} customers; ids are spread over the whole guard, as those of
senders are. Microseconds are those for which a process had a core, for one event.
"""

_USAGE_SIDES: Final = """\
The floor is binary COPY of exactly the rows that ingest wrote to the events and to the guard, already encoded, by the
owner with row-level security off, over as many connections, a transaction for each batch: the same keys and indexes,
no checks, no answers, no sums. At each size the tables were vacuumed and analysed before. *Reading* is the current
usage of one customer by model, the median of 101 spans that all begin with the month.
"""

_API: Final = """\
`tenor serve` in one process, called by {callers} callers at once, with batches of usage by {senders}; each calls again
as soon as it is answered. The bare endpoint has the same framework (FastAPI on uvicorn), driver, pool and server, and
does one INSERT. A call that changes something looks its key up, does its operation with audit record and event, and
keeps its answer for a repetition, all in one transaction; usage is deduplicated for ever and added up by the hour. The
callers are a process on the same machine, whose cores they share. Microseconds are those for which the process that
answers had a core, for one call.
"""

_REPEAT: Final = """\
## How to repeat

`make bench` measures it all in {minutes:.0f} minutes and needs {gigabytes} GB of disk for that long; the data of an
installation is not touched. `.venv/bin/python tools/bench.py --quick` takes a tenth of the subscriptions and prints the
page instead of writing it, `--subscriptions N`, `--events N` and `--stored N N` take other numbers, `--folder DIR`
another disk, `--json` prints the figures for a program. Close what else runs: with all cores at work, every other
process is in the figures. When this one began, the load average was {load}.
"""
_GIGABYTES: Final = 9


def page(results: Results) -> str:
    """Return the page as Markdown."""
    compared = results.comparison
    parts = [
        _HEAD,
        _machine(results.machine),
        f"## The bill run of {compared.runs[0].invoices:,} subscriptions\n",
        _WHAT_IS_MEASURED,
        _times(compared),
        _sameness(compared),
        "## The aims\n",
        _aims(results),
        "## Where the time goes\n",
        _WHERE_TIME_GOES,
        _stages(compared.runs),
        "## How the cost grows\n",
        _growth(results.growth),
        f"## Usage: {results.usage.floor.events:,} events\n",
        _USAGE.format(batch=ingest.BATCH, senders=ingest.SENDERS, customers=ingest.CUSTOMERS),
        _usage(results.usage),
        _usage_aims(results.usage),
        _USAGE_SIDES,
        "## The HTTP API beside a bare endpoint\n",
        _API.format(callers=api.CALLERS, senders=api.SENDERS),
        _api(results.api),
        _api_aims(results.api),
        _SIDES.format(naive=compared.naive.invoices),
        _REPEAT.format(minutes=max(1.0, results.seconds / 60), gigabytes=_GIGABYTES, load=results.machine.load),
    ]
    return "\n".join(parts)


def _machine(machine: Machine) -> str:
    return _table(
        ("", "measured on"),
        [
            ("date", machine.measured_at),
            ("commit", machine.commit),
            ("processor", f"{machine.cpu}, {_count(machine.cores, 'core')}"),
            ("memory", f"{machine.memory_gib} GiB"),
            ("system", f"{machine.system}, Python {machine.python}"),
            ("server", machine.server),
            ("disk", f"{machine.fsync_microseconds:,.0f} µs to write 8 kB and have it on disk (fdatasync)"),
        ],
        are_numbers=False,
    )


def _times(compared: Comparison) -> str:
    invoices = compared.written.rows["invoices"]
    rows = [
        (f"floor, {_count(floor.connections, 'connection')}", floor.seconds, floor.seconds / invoices)
        for floor in compared.floors
    ]
    rows += [
        (f"bill run, {_count(run.workers, 'worker')}", run.seconds, run.seconds / run.invoices) for run in compared.runs
    ]
    naive = compared.naive
    rows.append((f"naive job, {naive.invoices:,} of them", naive.seconds, naive.seconds / naive.invoices))
    return _table(
        ("job", "seconds", "invoices/s", "µs/invoice"),
        [(job, f"{seconds:,.2f}", f"{1 / each:,.0f}", f"{each * 1e6:,.0f}") for job, seconds, each in rows],
    )


def _sameness(compared: Comparison) -> str:
    rows = ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in compared.written.rows.items())
    return (
        f"All wrote the same: {rows}; {compared.floors[0].megabytes:,.0f} MB as COPY encodes them.\n"
        f"They agree in every total ({compared.written.total_minor / 100:,.2f} EUR invoiced, tax included) and in the\n"
        "digest of every document.\n"
    )


def _aims(results: Results) -> str:
    floor, naive = results.comparison.times_the_floor, results.comparison.times_as_fast_as_naive
    smallest, _, largest = results.growth
    cost = largest.microseconds_per_invoice / smallest.microseconds_per_invoice
    sizes = f"{largest.invoices:,} against {smallest.invoices:,} subscriptions"
    aims = [
        _at_most(FLOOR_TIMES_MAX, "time of the run as a multiple of the floor, one worker", floor.one),
        _at_most(FLOOR_TIMES_MAX, "the same on all cores, against the faster floor", floor.all),
        _at_least(NAIVE_TIMES_MIN, "speed as a multiple of the naive job, one worker", naive.one),
        _at_least(NAIVE_TIMES_MIN, "the same on all cores, the naive job on one connection", naive.all),
        _at_most(FLAT_TIMES_MAX, f"cost of an invoice, {sizes}", cost),
    ]
    if smallest.peak_memory_mib and largest.peak_memory_mib:
        growth = largest.peak_memory_mib / smallest.peak_memory_mib
        aims.append(_at_most(FLAT_TIMES_MAX, f"memory of a worker, {sizes}", growth))
    return _table(("", "measured", "aim", ""), aims)


def _at_most(limit: float, what: str, found: float) -> tuple[str, ...]:
    return (what, f"{found:.2f}", f"at most {limit:g}", "met" if found <= limit else "**missed**")


def _at_least(limit: float, what: str, found: float) -> tuple[str, ...]:
    return (what, f"{found:.2f}", f"at least {limit:g}", "met" if found >= limit else "**missed**")


def _stages(runs: Sequence[RunFigures]) -> str:
    return _table(
        ("stage", *(_count(run.workers, "worker") for run in runs)),
        [
            (stage, *(f"{run.stage_seconds[stage] / run.invoices * 1e6:,.0f}" for run in runs))
            for stage in runs[0].stage_seconds
        ],
    )


def _growth(growth: Iterable[RunFigures]) -> str:
    return _table(
        ("subscriptions", "workers", "seconds", "invoices/s", "µs/invoice", "memory of a worker"),
        [
            (
                f"{run.invoices:,}",
                str(run.workers),
                f"{run.seconds:,.2f}",
                f"{run.invoices / run.seconds:,.0f}",
                f"{run.microseconds_per_invoice:,.0f}",
                "not known" if run.peak_memory_mib is None else f"{run.peak_memory_mib:,.0f} MiB",
            )
            for run in growth
        ],
    )


def _usage(usage: UsageFigures) -> str:
    rows = [("floor", usage.floor), *(("ingest", run) for run in usage.runs)]
    return _table(
        ("job", "events stored before", "events/s", "of the floor", "µs, sender", "µs, server", "reading"),
        [
            (
                job,
                f"{run.stored:,}",
                f"{run.per_second:,.0f}",
                f"{100 * run.per_second / usage.floor.per_second:.0f} %",
                _known(run.client_microseconds, ".1f"),
                _known(run.server_microseconds, ".1f"),
                _known(run.reading_milliseconds, ".2f ms"),
            )
            for job, run in rows
        ],
    )


def _usage_aims(usage: UsageFigures) -> str:
    first, *later = usage.runs
    aims = [
        _at_least(
            INGEST_SHARE_MIN, "speed of ingest as a share of the floor", first.per_second / usage.floor.per_second
        ),
        _at_least(INGEST_THOUSANDS_MIN, "thousands of events per second", first.per_second / 1_000),
    ]
    if len(later) > 1:
        growth = later[0].per_second / later[-1].per_second
        sizes = f"{later[-1].stored:,} events stored against {later[0].stored:,}"
        aims.append(_at_most(FLAT_TIMES_MAX, f"cost of an event, {sizes}", growth))
    aims += [
        _at_most(READING_MILLISECONDS_MAX, f"ms to read current usage, {run.stored:,} stored", run.reading_milliseconds)
        for run in later[-1:]
        if run.reading_milliseconds is not None
    ]
    return _table(("", "measured", "aim", ""), aims)


def _api(figures: ApiFigures) -> str:
    bare = figures.bare
    return _table(
        ("call", "calls/s", "of the bare endpoint", "p50", "p99", "µs", "events/s"),
        [
            (
                load.name,
                f"{load.per_second:,.0f}",
                f"{100 * load.per_second / bare.per_second:.0f} %",
                f"{load.p50_milliseconds:.1f} ms",
                f"{load.p99_milliseconds:.1f} ms",
                _known(load.cpu_microseconds, ",.0f"),
                f"{load.events_per_second:,.0f}" if load.events_per_call else "",
            )
            for load in (bare, *figures.loads)
        ],
    )


def _api_aims(figures: ApiFigures) -> str:
    fastest = max(load.events_per_second for load in figures.loads) / 1_000
    return _table(
        ("", "measured", "aim", ""), [_at_least(API_THOUSANDS_MIN, "thousands of usage events per second", fastest)]
    )


def _known(number: float | None, form: str) -> str:
    """Return a number in a form such as `.2f ms`; empty where there is none."""
    digits, _, unit = form.partition(" ")
    return "" if number is None else f"{number:{digits}} {unit}".rstrip()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], *, are_numbers: bool = True) -> str:
    """Return a Markdown table; where `are_numbers`, the columns after the first are set to the right."""
    rule = ["---", *("---:" if are_numbers else "---" for _ in head[1:])]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, rule, *rows]) + "\n"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
