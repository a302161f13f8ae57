"""`tenor bill`: one bill run."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from tenor.cli.output import JsonOption, TenantOption, counted, out, print_json, progress, refusals
from tenor.cli.session import session, tenant_now
from tenor.invoicing import BatchSummary, BillRunReport, PlannedRun, bill
from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.tenants import require_reached, set_clock
from tenor.wire import report_json


def bill_command(
    *,
    tenant: TenantOption,
    as_of: Annotated[
        str | None, typer.Option(help="Bill what is due at this instant, e.g. 2026-02-01T00:00:00Z.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=64, help="Processes; one for each core by default.")] = None,
    actor: Annotated[str, typer.Option(help="Who starts the run, for the audit.")] = "operator",
    as_json: JsonOption = False,
) -> None:
    """Bill everything that is due. Repeat it at will: what has been billed is not billed again."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        instant = parse_instant(as_of, name="--as-of") if as_of is not None else tenant_now(of)
        require_reached(of, instant, wall_now=datetime.now(UTC))
        with progress(is_shown=not as_json) as display:
            task = display.add_task("billing", total=None)

            def show(run: PlannedRun, done: BatchSummary) -> None:
                display.update(task, total=run.subscription_count, completed=done.subscriptions)

            reports = bill(
                opened.database,
                opened.settings,
                of.tenant_id,
                as_of=instant,
                actor=actor,
                workers=workers,
                on_progress=show,
            )
        if of.is_sandbox and (of.clock_at is None or instant > of.clock_at):
            set_clock(opened.database, of.tenant_id, instant)
        if as_json:
            print_json({"runs": [report_json(report) for report in reports]})
            return
        for report in reports:
            print_report(report)


def print_report(report: BillRunReport) -> None:
    """Print what a run did, in a few lines."""
    done = report.done
    documents = counted(report.document_count, "document")
    rate = f", {report.document_count / report.seconds:,.0f} documents/s" if report.document_count else ""
    resumed = " (finished a run that had been interrupted)" if report.is_resumed else ""
    out.print(
        f"[bold]As of {format_instant(report.as_of)}[/]{resumed}: {counted(done.subscriptions, 'subscription')} due, "
        f"{documents} with {counted(done.lines, 'line')} in {report.seconds:.2f} s{rate}"
    )
    for (kind, currency), total in sorted(done.totals_minor.items()):
        label = counted(done.documents[kind, currency], kind.replace("_", " "))
        out.print(f"  {label:<22} {format_minor(total, currency):>16} {currency}")
    if report.taxes.failures:
        questions = counted(report.taxes.from_fallback, "question")
        failures = escape("; ".join(report.taxes.failures))
        out.print(f"  [yellow]the tax engine failed ({failures}): the table of rates answered {questions}[/]")
    if done.parked:
        parked = counted(done.parked, "subscription")
        out.print(f"  [yellow]{parked} parked: a rule refused them (bill_run_items.reason says which)[/]")
