"""`tenor demo`: the engine on published data, from price books to proven invoices."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Annotated, Any

import typer

from tenor.cli.commands.bill import report_json
from tenor.cli.commands.invoice import document_json, print_document
from tenor.cli.commands.ledger import balance_json, print_balance
from tenor.cli.commands.prove import print_proof
from tenor.cli.output import ExitCode, JsonOption, out, print_json, progress, refusals, stop
from tenor.cli.session import Session, session
from tenor.demo import ATTRIBUTION, Audit, StepDone, Story, Tell, audit, open_sandbox, play, stories
from tenor.invoicing import BillRunReport, IssuedDocument, find_document, list_documents
from tenor.kernel.money import format_minor


@dataclass(frozen=True, slots=True)
class Played:
    """A story after it was played."""

    story: Story
    was_there: bool
    steps: list[StepDone]
    exhibit: IssuedDocument | None
    audit: Audit


def demo_command(
    *,
    every: Annotated[int, typer.Option(min=1, max=1000, help="Take every n-th row of the data only.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Bill real usage and 7,043 subscribers over four months in two sandboxes, then prove every document.

    Repeat it at will: nothing is billed twice, and what was interrupted is finished.
    Ends with 1 when a figure, the proof or the ledger is not as it must be.
    """
    begun = perf_counter()
    with refusals(as_json=as_json), session() as opened:
        if not as_json:
            out.print(f"[bold]Tenor demo[/] on {opened.database.description}")
            for line in ATTRIBUTION:
                out.print(line, style="dim")
        played = [_play(opened, story, is_shown=not as_json) for story in stories(every=every)]
    seconds = perf_counter() - begun
    holds = all(one.audit.holds for one in played)
    if as_json:
        print_json(
            {
                "holds": holds,
                "seconds": f"{seconds:.3f}",
                "attribution": ATTRIBUTION,
                "tenants": [_played_json(one) for one in played],
            }
        )
    else:
        verdict = "[bold green]All of it holds[/]" if holds else "[bold red]Not all of it holds[/]"
        out.print(f"\n{verdict} ({seconds:.1f} s). Look around: tenor invoice list --tenant {played[0].story.slug}")
    if not holds:
        raise stop(ExitCode.FOUND)


def _play(opened: Session, story: Story, *, is_shown: bool) -> Played:
    """Play a story to its end, printing each part as it is done."""
    tenant, was_there = open_sandbox(opened.database, story)
    if is_shown:
        print_opening(story, was_there=was_there)
    steps = []
    for step in story.steps:
        with _progress(is_shown=is_shown) as tell:
            done = play(opened.database, opened.settings, story, step, tell=tell)
        steps.append(done)
        if is_shown:
            print_step(done)
    with opened.database.transaction(tenant.tenant_id) as uow:
        exhibit = None
        if story.exhibit is not None:
            customer, issued_at = story.exhibit
            documents = list_documents(uow, customer=customer)
            exhibit = find_document(uow, next(one.name for one in documents if one.issued_at == issued_at))
    with _progress(is_shown=is_shown) as tell:
        audited = audit(opened.database, tenant, story, tell=tell)
    played = Played(story, was_there, steps, exhibit, audited)
    if is_shown:
        print_ending(played)
    return played


def print_opening(story: Story, *, was_there: bool) -> None:
    """Print whose story begins, and the head of its table."""
    found = "was there before: what is done stays as it is" if was_there else "a new sandbox"
    out.print(f"\n[bold]{story.slug}[/]  {story.name}, {found}")
    out.print(
        f"  {'as of':<12}{'invoices':>9}{'credit notes':>14}{'total':>22}{'seconds':>10}{'invoices/s':>12}", style="dim"
    )


def print_step(done: StepDone) -> None:
    """Print what a step did: its acts, then a row for each bill run."""
    day = f"{done.step.at:%Y-%m-%d}"
    if done.did:
        out.print(f"  {day}  {'; '.join(done.did)}", style="cyan", markup=False)
    for run in done.runs or ():
        print_run(run)
    if done.runs is None and done.step.is_billed:
        out.print(f"  {day}  billed before", style="dim")


def print_run(run: BillRunReport) -> None:
    """Print a bill run as a row for each currency; one that billed nothing has one row of zeros."""
    totals = run.done.totals_minor
    currencies = sorted({currency for _, currency in totals}) or [""]
    for currency in currencies:
        invoices, notes = (run.done.documents[kind, currency] for kind in ("invoice", "credit_note"))
        total = totals["invoice", currency] + totals["credit_note", currency]
        amount = f"{format_minor(total, currency)} {currency}" if currency else "0"
        rate = f"{run.document_count / run.seconds:,.0f}" if run.document_count else ""
        out.print(f"  {run.as_of:%Y-%m-%d}  {invoices:>9,}{notes:>14,}{amount:>22}{run.seconds:>10.2f}{rate:>12}")
    if run.is_resumed:
        out.print(f"  {'':<12}finished a run that had been interrupted")
    if run.done.parked:
        out.print(f"  {'':<12}[yellow]{run.done.parked:,} subscriptions were parked: a rule refused them[/]")


def print_ending(played: Played) -> None:
    """Print one document with its arithmetic, then everything that shows that the books are right."""
    if played.exhibit is not None:
        out.print()
        print_document(played.exhibit, is_explained=True)
    out.print("\n[bold]Against the published data[/]")
    for check in played.audit.checks:
        mark = "[green]=[/]" if check.holds else "[bold red]≠[/]"
        out.print(f"  {check.what}: data {check.from_data} {mark} billed {check.from_engine}")
    out.print("\n[bold]Proof[/]")
    print_proof(played.audit.proof)
    out.print("\n[bold]Trial balance[/]")
    balance = played.audit.balance
    print_balance(balance, [currency for currency in balance.currencies if balance.difference_minor(currency)])


@contextmanager
def _progress(*, is_shown: bool) -> Iterator[Tell]:
    """Yield what a long step is told to; nothing may be printed meanwhile, or it would land in the bars."""
    with progress(is_shown=is_shown) as display:
        tasks: dict[str, Any] = {}  # Rich's TaskID is not exported

        def tell(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = display.add_task(what, total=total)
            display.update(tasks[what], completed=done, total=total)

        yield tell


def _played_json(played: Played) -> dict[str, Any]:
    proof = played.audit.proof
    return {
        "tenant": played.story.slug,
        "was_there": played.was_there,
        "holds": played.audit.holds,
        "steps": [
            {
                "at": done.step.at,
                "did": done.did,
                "runs": None if done.runs is None else [report_json(run) for run in done.runs],
            }
            for done in played.steps
        ],
        "document": None if played.exhibit is None else document_json(played.exhibit, is_explained=True),
        "checks": [{**check._asdict(), "holds": check.holds} for check in played.audit.checks],
        "proof": {
            "holds": proof.holds,
            "checked": dict(proof.checked),
            "pending": proof.pending,
            "findings": [asdict(finding) for finding in proof.findings],
        },
        "trial_balance": balance_json(played.audit.balance),
    }
