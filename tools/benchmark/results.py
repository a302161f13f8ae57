"""One benchmark from the empty database to its results."""

import os
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from tools.benchmark import ingest
from tools.benchmark.api import ApiFigures, measure_api
from tools.benchmark.comparison import Comparison, compare
from tools.benchmark.machine import Machine, look_at_machine
from tools.benchmark.measured_run import RunFigures, measure_run
from tools.benchmark.process import step
from tools.benchmark.server import private_server
from tools.benchmark.subscribers import add_subscribers, found_company

SMALLER: Final = 10
LARGER: Final = 3
"""The cost of an invoice is measured at a tenth and at three times of the main size too."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one benchmark found. `growth`: runs with all cores, by size; `seconds` is what it took."""

    machine: Machine
    comparison: Comparison
    growth: tuple[RunFigures, RunFigures, RunFigures]
    usage: ingest.UsageFigures
    api: ApiFigures
    seconds: float


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: subscriptions of the main comparison, events of usage, events stored before the last.

    `api_seconds` is how long each kind of call over HTTP is measured.
    """

    subscriptions: int
    events: int
    stored: tuple[int, ...]
    api_seconds: float


def measure(sizes: Sizes, parent: Path | None, *, is_synced: bool) -> Results:
    """Measure jobs, growth, ingest and API on private servers inside `parent` (None: the system's folder).

    The base database grows from size to size; what is measured always runs on a copy of it.

    Raises:
        WroteDifferently: two jobs did not write the same, so that their times mean nothing.
    """
    begun = perf_counter()
    subscriptions = sizes.subscriptions
    cores = os.cpu_count() or 1
    smaller, larger = max(1, subscriptions // SMALLER), LARGER * subscriptions
    with private_server(parent, is_synced=is_synced) as server:
        base = server.base
        tenant_id = found_company(base)
        machine = look_at_machine(server.folder, base)

        def grow(first: int, last: int) -> None:
            with step(f"Adding subscribers up to {last:,}", last - first) as tell:
                add_subscribers(base, tenant_id, first=first, last=last, tell=tell)

        def run_at(size: int) -> RunFigures:
            with server.clone() as settings:
                return measure_run(settings, tenant_id, subscriptions=size, workers=cores)

        grow(0, smaller)
        at_smaller = run_at(smaller)
        grow(smaller, subscriptions)
        comparison = compare(server, tenant_id, subscriptions=subscriptions, cores=cores)
        grow(subscriptions, larger)
        growth = (at_smaller, comparison.runs[1], run_at(larger))
    usage = ingest.measure_usage(parent, events=sizes.events, sizes=sizes.stored, is_synced=is_synced)
    api = measure_api(parent, seconds=sizes.api_seconds, is_synced=is_synced)
    return Results(machine, comparison, growth, usage, api, perf_counter() - begun)
