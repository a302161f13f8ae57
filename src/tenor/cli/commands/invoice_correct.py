"""`tenor invoice void|credit|write-off`: take back what was issued, or give it up."""

from typing import Annotated, NamedTuple

import typer

from tenor.cli.commands.invoice_frame import Desk, KeyOption, ReferenceArgument, desk, shown, split_pair
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json
from tenor.invoicing import IssuedDocument, credit_invoice, void_invoice
from tenor.invoicing import write_off as write_off_invoice
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import InvoiceId, to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.quantity import parse_amount


def void(
    reference: ReferenceArgument,
    *,
    tenant: TenantOption,
    reason: ReasonOption,
    rebill: Annotated[bool, typer.Option(help="Let the next bill run bill anew what is owed.")] = False,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """Take an invoice back whole, by a credit note; it keeps its number."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        note = void_invoice(at.uow, at.invoice_id(reference), rebill=rebill, **at.deed)
        corrected = _Corrected(at.document(reference), at.document(note.name))
    _tell(corrected, at, as_json=as_json)


def credit(
    reference: ReferenceArgument,
    *,
    tenant: TenantOption,
    reason: ReasonOption,
    line: Annotated[
        list[str] | None, typer.Option(help="NUMBER=AMOUNT of the line, its tax follows; may be repeated.")
    ] = None,
    amount: Annotated[
        str | None, typer.Option(help="Spread over all lines, their tax follows; all by default.")
    ] = None,
    settles: Annotated[str | None, typer.Option(help="balance or refund; as the customer's settings say.")] = None,
    key: KeyOption = None,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """Give back lines, an amount, or all that is left of an invoice, with its tax. It is not billed again."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        document = at.document(reference)
        if settles not in {None, "balance", "refund"}:
            raise Malformed(f"--settles is balance or refund, not {settles!r}")
        note = credit_invoice(
            at.uow,
            InvoiceId(document.id),
            lines=None if line is None else _lines(line, document.currency),
            amount_minor=None if amount is None else parse_amount(amount, document.currency, name="--amount"),
            settles=None if settles is None else "refund" if settles == "refund" else "balance",
            key=at.key(key),
            **at.deed,
        )
        corrected = _Corrected(at.document(reference), at.document(note.name))
    _tell(corrected, at, as_json=as_json)


def write_off(
    reference: ReferenceArgument,
    *,
    tenant: TenantOption,
    reason: ReasonOption,
    actor: ActorOption = "operator",
    as_json: JsonOption = False,
) -> None:
    """Give up what is open of an invoice as lost. A later payment takes it back."""
    with desk(tenant, actor=actor, reason=reason, as_json=as_json) as at:
        receivable = write_off_invoice(at.uow, at.invoice_id(reference), **at.deed)
    if as_json:
        lost = format_minor(receivable.written_off_minor, receivable.currency)
        print_json({"invoice": receivable.name, "status": receivable.status.value, "written_off": lost})
    else:
        out.print(
            f"[green]Written off[/]  {receivable.name}  {shown(receivable.written_off_minor, receivable.currency)}"
        )


class _Corrected(NamedTuple):
    """An invoice as it stands after a credit note, and the note."""

    invoice: IssuedDocument
    note: IssuedDocument


def _lines(options: list[str], currency: str) -> dict[int, int]:
    lines: dict[int, int] = {}
    for option in options:
        number, amount = split_pair(option, name="--line", example="NUMBER=AMOUNT, such as 1=12.50")
        if not number.isascii() or not number.isdigit() or len(number) > 9:
            raise Malformed(f"--line: {number[:20]!r} is not the number of a line")
        if int(number) in lines:
            raise Malformed(f"--line: line {number} is named twice")
        lines[int(number)] = parse_amount(amount, currency, name=f"--line {number}")
    return lines


def _tell(corrected: _Corrected, at: Desk, *, as_json: bool) -> None:
    """Print a credit note and how the invoice stands after it."""
    invoice, note = corrected
    receivable = invoice.receivable
    if as_json:
        print_json(
            {
                "credit_note": note.name,
                "id": to_wire("inv", note.id),
                "total": format_minor(note.total_minor, note.currency),
                "currency": note.currency,
                "invoice": invoice.name,
                "status": receivable.status.value,
                "open": format_minor(receivable.open_minor, note.currency),
            }
        )
        return
    out.print(f"[green]Credited[/]  {note.name}  {shown(note.total_minor, note.currency)}")
    out.print(f"{invoice.name} is {invoice.status(at.now.date())}, {shown(receivable.open_minor, note.currency)} open")
