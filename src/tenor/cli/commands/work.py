"""`tenor work`: what falls due for all tenants, done without a person."""

import signal
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Annotated

import typer
from rich.markup import escape

from tenor.cli.output import JsonOption, counted, err, out, print_json, refusals
from tenor.cli.session import Session, session
from tenor.invoicing import bill
from tenor.kernel.errors import Refusal
from tenor.kernel.period import format_instant
from tenor.metering import ship_usage
from tenor.platform.idempotency import forget_expired
from tenor.platform.tenants import Tenant, list_tenants


@dataclass(slots=True)
class Done:
    """What was done: passes over all tenants, bill runs and their documents, and what was refused."""

    passes: int = 0
    runs: int = 0
    documents: int = 0
    refusals: int = 0


def work_command(
    *,
    every: Annotated[int, typer.Option(min=1, max=86_400, help="Seconds from one pass to the next.")] = 900,
    once: Annotated[bool, typer.Option("--once", help="Do what is due now, then end.")] = False,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; one for each core by default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Do what falls due for every tenant until SIGTERM or Ctrl-C: usage shipped, credit granted and lapsed, bill runs.

    Tenants with a clock of their own are left alone. What one tenant's data refuses is told and does not keep the
    others waiting. As many may run as one likes: they share the batches of a run.
    """
    stop = Event()
    for number in () if once else (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())  # what has begun is finished
    done = Done()
    with refusals(as_json=as_json), session() as opened:
        if not (once or as_json):
            err.print(f"[green]Working[/]  every {every} s, for all tenants whose time is the world's (Ctrl-C stops)")
        while not stop.is_set():
            next_pass = datetime.now(UTC).timestamp() + every
            _pass_over_tenants(opened, done, stop, workers=workers, is_told=not as_json)
            if once:
                break
            stop.wait(max(0.0, next_pass - datetime.now(UTC).timestamp()))
    if as_json:
        print_json({"passes": done.passes, "runs": done.runs, "documents": done.documents, "refusals": done.refusals})
    else:
        out.print(f"{counted(done.runs, 'bill run')}, {counted(done.documents, 'document')}")


def _pass_over_tenants(opened: Session, done: Done, stop: Event, *, workers: int | None, is_told: bool) -> None:
    for tenant in list_tenants(opened.database):
        if stop.is_set():
            return
        _forget_answers(opened, tenant)
        if tenant.clock_at is not None:
            continue
        try:
            _work_for(opened, tenant, done, workers=workers, is_told=is_told)
        except Refusal as refusal:
            done.refusals += 1
            err.print(f"[red]{escape(tenant.slug)}:[/] {escape(refusal.message)} ({refusal.code})")
    done.passes += 1


def _work_for(opened: Session, tenant: Tenant, done: Done, *, workers: int | None, is_told: bool) -> None:
    now = datetime.now(UTC)
    ship_usage(opened.database, tenant.tenant_id, now=now)
    reports = bill(opened.database, opened.settings, tenant.tenant_id, as_of=now, actor="worker", workers=workers)
    done.runs += len(reports)
    for failure in sorted({failure for report in reports for failure in report.taxes.failures}):
        err.print(f"[yellow]{escape(tenant.slug)}:[/] the tax engine failed ({escape(failure)})")
    documents = sum(report.document_count for report in reports)
    done.documents += documents
    if documents and is_told:
        err.print(f"{format_instant(now)}  {escape(tenant.slug)}: {counted(documents, 'document')}")


def _forget_answers(opened: Session, tenant: Tenant) -> None:
    """Delete what calls were answered more than a day ago; it holds personal data, sealed."""
    forgotten = 1
    while forgotten:
        with opened.database.transaction(tenant.tenant_id) as uow:
            forgotten = forget_expired(uow, at=datetime.now(UTC))
