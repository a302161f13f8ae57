"""Bill runs as JSON."""

from typing import Literal

from typing_extensions import TypedDict

from tenor.invoicing import BillRunReport, RunProgress
from tenor.kernel.ids import to_wire
from tenor.wire.forms import Amount, Instant, amount, instant


class RunTotalJson(TypedDict):
    """The documents of one kind and currency that a run has issued."""

    kind: str
    currency: str
    count: int
    total: Amount


class RunReportJson(TypedDict):
    """What a call has done of a run; `is_resumed`: it finished one that had been interrupted.

    `default_taxes`: questions that the table of rates answered because the tax engine failed, `tax_failures` as said.
    """

    run: str
    as_of: Instant
    is_resumed: bool
    subscriptions: int
    parked: int
    lines: int
    documents: list[RunTotalJson]
    default_taxes: int
    tax_failures: list[str]
    seconds: str


class RunJson(TypedDict):
    """A bill run and how far it is; `status` is running or finished."""

    id: str
    status: Literal["running", "finished"]
    as_of: Instant
    started_at: Instant
    finished_at: Instant | None
    subscriptions: int
    done: int
    parked: int
    documents: list[RunTotalJson]


def run_json(run: RunProgress) -> RunJson:
    """Return a bill run and how far it is."""
    return RunJson(
        id=to_wire("run", run.id),
        status="running" if run.finished_at is None else "finished",
        as_of=instant(run.as_of),
        started_at=instant(run.started_at),
        finished_at=instant(run.finished_at),
        subscriptions=run.planned_subscriptions,
        done=run.done_subscriptions,
        parked=run.parked,
        documents=[
            RunTotalJson(
                kind=total.kind,
                currency=total.currency,
                count=total.documents,
                total=amount(total.total_minor, total.currency),
            )
            for total in run.totals
        ],
    )


def report_json(report: BillRunReport) -> RunReportJson:
    """Return a report; totals as decimals of the currency."""
    return RunReportJson(
        run=to_wire("run", report.run_id),
        as_of=instant(report.as_of),
        is_resumed=report.is_resumed,
        subscriptions=report.done.subscriptions,
        parked=report.done.parked,
        lines=report.done.lines,
        documents=[
            RunTotalJson(
                kind=kind,
                currency=currency,
                count=count,
                total=amount(report.done.totals_minor[kind, currency], currency),
            )
            for (kind, currency), count in sorted(report.done.documents.items())
        ],
        default_taxes=report.taxes.from_fallback,
        tax_failures=list(report.taxes.failures),
        seconds=f"{report.seconds:.3f}",
    )
