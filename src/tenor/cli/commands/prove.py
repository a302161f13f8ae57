"""`tenor prove`: derive every document again."""

from rich.table import Table

from tenor.cli.output import ExitCode, JsonOption, TenantOption, counted, out, print_json, progress, refusals, stop
from tenor.cli.session import session
from tenor.invoicing import Proof, prove
from tenor.platform.statistics import refresh_statistics


def prove_command(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Derive every issued document again from its inputs. Ends with 1 when anything differs."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with progress(is_shown=not as_json) as display:
            tasks = {step: display.add_task(step, total=None) for step in ("documents", "subscriptions")}

            def show(step: str, count: int) -> None:
                display.advance(tasks[step], count)

            refresh_statistics(opened.database, of.tenant_id)
            with opened.database.transaction(of.tenant_id, is_snapshot=True) as uow:
                proof = prove(uow, on_progress=show)
        if as_json:
            print_json(
                {
                    "holds": proof.holds,
                    "checked": dict(proof.checked),
                    "pending": proof.pending,
                    "findings": [
                        {"code": finding.code, "subject": finding.subject, "message": finding.message}
                        for finding in proof.findings
                    ],
                }
            )
        else:
            print_proof(proof)
    if not proof.holds:
        raise stop(ExitCode.FOUND)


def print_proof(proof: Proof, *, shown_max: int = 20) -> None:
    """Print what was checked and what was found."""
    table = Table(box=None, show_header=False)
    for what, count in proof.checked.items():
        table.add_row(f"{count:>12,}", what)
    out.print(table)
    if proof.pending:
        out.print(f"the next run will settle what is new of {counted(proof.pending, 'item')}")
    if proof.holds:
        out.print("[bold green]Proven[/]: every document follows from its inputs, to the cent")
        return
    out.print(f"[bold red]{len(proof.findings):,} findings[/]")
    for finding in proof.findings[:shown_max]:
        out.print(f"  {finding.code}  {finding.subject}  {finding.message}", markup=False)
    if len(proof.findings) > shown_max:
        out.print(f"  … and {len(proof.findings) - shown_max:,} more (--json prints all)")
