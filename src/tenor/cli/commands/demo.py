"""`tenor demo`: the engine on published data, from price books to proven invoices."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Annotated, Any, Final

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.commands.invoice import print_document
from tenor.cli.commands.ledger import print_balance
from tenor.cli.commands.prove import print_proof
from tenor.cli.output import ExitCode, JsonOption, out, print_json, progress, refusals, stop
from tenor.cli.session import Session, session
from tenor.demo import ATTRIBUTION, Audit, CreditFigures, StepDone, Story, Tell, audit, open_sandbox, play, stories
from tenor.invoicing import BillRunReport, IssuedDocument, find_document, list_documents
from tenor.kernel.money import format_minor
from tenor.platform.tenants import Tenant
from tenor.wire import balance_json, document_json, report_json

EVERY_MAX: Final = 20
"""With fewer rows a customer's tokens may cost less than half a cent: no line then says that they were counted."""


@dataclass(frozen=True, slots=True)
class Played:
    """A story after it was played: its tenant, which may have been there before, and what each step did."""

    story: Story
    tenant: Tenant
    was_there: bool
    steps: list[StepDone]

    @property
    def runs(self) -> list[BillRunReport]:
        """The bill runs of this call."""
        return [run for step in self.steps for run in step.runs or ()]


def demo_command(
    *,
    every: Annotated[int, typer.Option(min=1, max=EVERY_MAX, help="Take every n-th row of the data only.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Bill real usage and 7,043 subscribers over four months in two sandboxes, then prove every document.

    Repeat it at will: nothing is billed twice, and what was interrupted is finished.
    Ends with 1 when a figure, the proof or the ledger is not as it must be.
    """
    begun = perf_counter()
    with refusals(as_json=as_json), session() as opened:
        if not as_json:
            print_title(opened)
        played = [_play(opened, story, is_shown=not as_json) for story in stories(every=every)]
        exhibit = _exhibit(opened, played)
        audits = [_audit(opened, one, is_shown=not as_json) for one in played]
    seconds = perf_counter() - begun
    holds = all(one.holds for one in audits)
    if as_json:
        print_json(
            {
                "holds": holds,
                "seconds": f"{seconds:.3f}",
                "attribution": ATTRIBUTION,
                "tenants": [_tenant_json(one, audited) for one, audited in zip(played, audits, strict=True)],
                "document": document_json(exhibit, is_explained=True),
            }
        )
    else:
        out.print("\n[bold]One invoice, explained[/]\n")
        print_document(exhibit, is_explained=True)
        print_audits(played, audits)
        print_verdict([run for one in played for run in one.runs], seconds, holds=holds)
    if not holds:
        raise stop(ExitCode.FOUND)


def _play(opened: Session, story: Story, *, is_shown: bool) -> Played:
    """Play a story to its end, printing each step when it is done."""
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
    return Played(story, tenant, was_there, steps)


def _audit(opened: Session, played: Played, *, is_shown: bool) -> Audit:
    with _progress(is_shown=is_shown) as tell:
        return audit(opened.database, played.tenant, played.story, tell=tell)


def _exhibit(opened: Session, played: Sequence[Played]) -> IssuedDocument:
    """Return the document that a story wants to be looked at, or else the customer's newest."""
    one, (customer, issued_at) = next((one, one.story.exhibit) for one in played if one.story.exhibit)
    with opened.database.transaction(one.tenant.tenant_id) as uow:
        documents = list_documents(uow, customer=customer)
        chosen = next((document for document in documents if document.issued_at == issued_at), documents[0])
        return find_document(uow, chosen.name)


def print_title(opened: Session) -> None:
    """Print where the database is, and who published what it will hold."""
    out.print(f"[bold]Tenor demo[/] on {escape(opened.database.description)}")
    for line in ATTRIBUTION:
        out.print(line, style="dim")
    out.print("What is published and what is assumed: docs/demo.md", style="dim")


def print_opening(story: Story, *, was_there: bool) -> None:
    """Print whose story begins, and the head of its table."""
    found = "was there before: what is done stays as it is" if was_there else "a new sandbox"
    out.print(f"\n[bold]{story.slug}[/]  {story.name}, {found}")
    out.print(story.assumed, style="dim", markup=False)
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


def print_audits(played: Sequence[Played], audits: Sequence[Audit]) -> None:
    """Print the figures beside those of the published data, the proofs and the trial balances."""
    table = Table("", "published", "billed", "", box=None, title="Checked against the data", title_justify="left")
    for audited in audits:
        for check in audited.checks:
            mark = "[green]equal[/]" if check.holds else "[bold red]DIFFERS[/]"
            table.add_row(check.what, check.from_data, check.from_engine, mark)
    out.print()
    out.print(table)
    print_credits([figures for audited in audits for figures in audited.credits])
    for one, audited in zip(played, audits, strict=True):
        out.print(f"\n[bold]Proof and trial balance of {one.story.slug}[/]")
        print_proof(audited.proof)
        balance = audited.balance
        print_balance(balance, [currency for currency in balance.currencies if balance.difference_minor(currency)])


def print_credits(prepaid: Sequence[CreditFigures]) -> None:
    """Print what became of prepaid credit, at what was paid for it."""
    columns = ("wallets", "sold", "topped up", "drawn", "lapsed", "left", "in the ledger", "")
    table = Table(box=None, title="Prepaid credit, at what was paid for it", title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column not in {"wallets", ""} else "left")
    for figures in prepaid:
        table.add_row(*figures, "[green]equal[/]" if figures.holds else "[bold red]DIFFERS[/]")
    if prepaid:
        out.print()
        out.print(table)


def print_verdict(runs: Sequence[BillRunReport], seconds: float, *, holds: bool) -> None:
    """Print what this call billed, and whether all of it is as it must be."""
    count = sum(run.document_count for run in runs)
    billing_seconds = sum(run.seconds for run in runs)
    out.print()
    if count:
        rate = f"{count / billing_seconds:,.0f}/s"
        out.print(f"{count:,} documents billed in {billing_seconds:.1f} s ({rate}), all in all {seconds:.1f} s")
    else:
        out.print(f"0 documents billed: everything had been billed before ({seconds:.1f} s)")
    out.print("[bold green]All of it holds[/]" if holds else "[bold red]Not all of it holds[/]")


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


def _tenant_json(played: Played, audited: Audit) -> dict[str, Any]:
    proof = audited.proof
    return {
        "tenant": played.story.slug,
        "was_there": played.was_there,
        "assumed": played.story.assumed,
        "holds": audited.holds,
        "steps": [
            {
                "at": done.step.at,
                "did": done.did,
                "runs": None if done.runs is None else [report_json(run) for run in done.runs],
            }
            for done in played.steps
        ],
        "checks": [{**check._asdict(), "holds": check.holds} for check in audited.checks],
        "credits": [{**figures._asdict(), "holds": figures.holds} for figures in audited.credits],
        "proof": {
            "holds": proof.holds,
            "checked": dict(proof.checked),
            "pending": proof.pending,
            "findings": [asdict(finding) for finding in proof.findings],
        },
        "trial_balance": balance_json(audited.balance),
    }
