"""`tenor contract`: what is agreed with one customer apart from the price books."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.markup import escape

from tenor.cli.commands.subscription_frame import (
    Call,
    Handling,
    InvoiceOption,
    NameArgument,
    PreviewOption,
    QuoteOption,
    carry_out,
    change_command,
)
from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing import (
    Contract,
    Difference,
    MalformedContract,
    StepStart,
    agree_contract,
    all_contracts,
    contract_differences,
    find_contract,
)
from tenor.subscriptions import (
    NewSubscription,
    Subscription,
    find_subscription,
    move_to_contract,
    subscribe_to_contract,
)
from tenor.wire import contract_json

app = command_group("Agree contracts with single customers, and put subscriptions on them.")

CodeArgument = Annotated[str, typer.Argument(help="Code of the contract.")]
CodeOption = Annotated[str, typer.Option("--contract", help="Code of the contract.")]
CustomerOption = Annotated[str, typer.Option(help="External id of the customer.")]
VersionOption = Annotated[int | None, typer.Option(min=1, help="Version of the contract; the newest by default.")]
AgreedReasonOption = Annotated[str, typer.Option(help="Why, for the audit.")]
ContractVersionOption = Annotated[int | None, typer.Option(min=1, help="Its version; the newest by default.")]


@app.command("agree")
def agree(
    file: Annotated[Path, typer.Argument(help="Contract, a YAML or JSON file.")],
    *,
    tenant: TenantOption,
    customer: CustomerOption,
    actor: ActorOption = "operator",
    reason: AgreedReasonOption = "agreed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Agree what a file says: a new contract, or the next version of one. Repeating it changes nothing."""
    with refusals(as_json=as_json):
        source = _read(file)
        with session() as opened:
            of = opened.tenant(tenant)
            with opened.database.transaction(of.tenant_id) as uow:
                customer_id = _customer_id(uow, customer)
                try:
                    contract = agree_contract(
                        uow, source, customer_id=customer_id, now=tenant_now(of), actor=actor, reason=reason
                    )
                except MalformedContract as refusal:
                    refusal.message = f"{file}: {refusal.message}"
                    raise
                shown = _shown(uow, contract)
        _print(shown, as_json=as_json)


@app.command("list")
def list_contracts(
    *,
    tenant: TenantOption,
    customer: Annotated[str | None, typer.Option(help="External id of a customer; all by default.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the contracts in every version, the newest first."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            found = all_contracts(uow, customer_id=None if customer is None else _customer_id(uow, customer))
        if as_json:
            print_json({"contracts": [contract_json(contract) for contract in found]})
            return
        if not found:
            out.print("There is no contract yet. Agree one with [bold]tenor contract agree FILE[/].")
            return
        for contract in found:
            out.print(
                f"[bold]{escape(contract.code)}[/]  version {contract.version}  {escape(contract.name)} "
                f"({contract.plan}), {counted(len(contract.steps), 'step')}, {format_instant(contract.agreed_at)}"
            )
        out.print(counted(len(found), "version"), style="dim")


@app.command("show")
def show(
    code: CodeArgument, *, tenant: TenantOption, version: VersionOption = None, as_json: JsonOption = False
) -> None:
    """Print a contract, with what each of its steps changes."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            shown = _shown(uow, find_contract(uow, code, version=version))
        _print(shown, as_json=as_json)


@app.command("subscribe")
def subscribe_command(
    name: NameArgument,
    *,
    tenant: TenantOption,
    contract: CodeOption,
    contract_version: ContractVersionOption = None,
    start: Annotated[str | None, typer.Option(help="When it starts, past or future; now by default.")] = None,
    preview: PreviewOption = False,
    quote: QuoteOption = None,
    invoice: InvoiceOption = False,
    actor: ActorOption = "operator",
    reason: ReasonOption = "subscribed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Subscribe the customer of a contract to it, with all its steps ahead. Repeating it changes nothing."""
    how = Handling(preview, quote, invoice, None, actor, reason)

    def make(uow: UnitOfWork, at: datetime, _version: int | None) -> list[Subscription]:
        request = NewSubscription(
            external_id=name,
            customer_id=find_contract(uow, contract, version=contract_version).customer_id,
            plan=contract,
            starts_at=at if start is None else parse_instant(start, name="--start"),
        )
        subscribe_to_contract(uow, request, version=contract_version, now=at, actor=actor, reason=reason)
        return [find_subscription(uow, name)]

    def buyer(uow: UnitOfWork) -> tuple[CustomerId, int]:
        return find_contract(uow, contract, version=contract_version).customer_id, 0

    with refusals(as_json=as_json), session() as opened:
        carry_out(opened, tenant, how, make, buyer, as_json=as_json)


def _move(call: Call, *, contract: CodeOption, contract_version: ContractVersionOption = None) -> Subscription:
    """Put a subscription on a contract of its customer, or on the amended version of the one that it is on."""
    return move_to_contract(
        call.uow,
        call.subscription.id,
        contract=contract,
        contract_version=contract_version,
        effective=call.at,
        **call.decided,
    )


change_command(app, "move", at="now")(_move)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Malformed(f"{file}: {error.strerror}") from None


def _customer_id(uow: UnitOfWork, external_id: str) -> CustomerId:
    try:
        return customer_ids(uow, [external_id])[external_id]
    except KeyError:
        raise NotFound(f"there is no customer {external_id[:60]!r}; `tenor customer add` registers one") from None


class _Shown(NamedTuple):
    """A contract with what each step changes."""

    contract: Contract
    differences: list[tuple[Difference, ...]]


def _shown(uow: UnitOfWork, contract: Contract) -> _Shown:
    return _Shown(contract, contract_differences(uow, contract))


def _print(shown: _Shown, *, as_json: bool) -> None:
    contract = shown.contract
    if as_json:
        print_json(contract_json(*shown))
        return
    customer, agreed_at = to_wire("cus", contract.customer_id), format_instant(contract.agreed_at)
    out.print(f"[bold]{escape(contract.code)}[/] version {contract.version}  {to_wire('ctr', contract.id)}")
    out.print(f"  {contract.name}, from plan {contract.plan}, for {customer}", markup=False)
    out.print(f"  agreed {agreed_at} by {contract.agreed_by}: {contract.reason}", markup=False)
    for words in _frame_in_words(contract):
        out.print(f"  {words}", markup=False)
    for step, differences in zip(contract.steps, shown.differences, strict=True):
        out.print(f"  step {step.step_no}, {_start_in_words(step.start)}")
        for difference in differences or ["as the plan" if step.step_no == 1 else "as before"]:
            out.print(f"    {difference}", markup=False)


def _frame_in_words(contract: Contract) -> list[str]:
    payment = contract.payment
    said = {
        "payment": payment and f"{payment.days} days {'net' if payment.kind == 'net' else 'after end of month'}",
        "purchase order": contract.po_number,
        "term": contract.term_months and counted(contract.term_months, "month"),
    }
    return [f"{key}: {words}" for key, words in said.items() if words]


def _start_in_words(start: StepStart) -> str:
    if start.after_months is not None:
        return f"after {counted(start.after_months, 'month')}"
    return f"from {format_instant(start.at)}" if start.at else "from the start"
