"""`tenor tax`: rates, tax profiles of customers, and overrides."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, counted, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import Malformed, NotFound, Refusal
from tenor.kernel.ids import CustomerId, from_wire, to_wire
from tenor.kernel.quantity import parse_decimal, plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes import (
    PERCENT_DIGITS,
    STANDARD,
    AppliedRate,
    Jurisdiction,
    TaxOverride,
    TaxProfile,
    TaxRate,
    apply_tax_file,
    end_tax_override,
    override_tax,
    read_tax_file,
    read_validity,
    set_tax_profiles,
    set_tax_rates,
    tax_rates,
)
from tenor.wire import tax_profile_json, tax_rate_json

app = command_group("Tax rates, how customers are taxed, and overrides.")
rates = command_group("The table of tax rates.")
app.add_typer(rates, name="rates")

CustomerArgument = Annotated[str, typer.Argument(help="External id of the customer.")]
CountryOption = Annotated[str, typer.Option(help="ISO 3166-1 code, e.g. DE.")]
RegionOption = Annotated[str, typer.Option(help="Part of an ISO 3166-2 code, e.g. QC of CA-QC.")]
FromOption = Annotated[str, typer.Option("--from", help="Date (in the tenant's time zone) or instant.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Date or instant at which it ends.")]


@app.command("apply")
def apply(
    file: Annotated[Path, typer.Argument(help="Seller and rates, a YAML file.")],
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "tax file applied",
    as_json: JsonOption = False,
) -> None:
    """Set the seller and the rates that a file gives. Repeating it changes nothing."""
    with refusals(as_json=as_json):
        try:
            source = file.read_bytes()
        except OSError as error:
            raise Malformed(f"{file}: {error.strerror}") from None
        with session() as opened:
            of = opened.tenant(tenant)
            try:
                content = read_tax_file(source, zone=parse_zone(of.timezone))
            except Refusal as refusal:
                refusal.message = f"{file}: {refusal.message}"
                raise
            now = tenant_now(of)
            with opened.database.transaction(of.tenant_id) as uow:
                new = apply_tax_file(uow, content, now=now, actor=actor, reason=reason)
    known = len(content.rates) - len(new)
    headline = f"{counted(len(new), 'rate')} set" + (f", {known:,} there already" if known else "")
    _print_rates(new, as_json=as_json, headline=headline)


@rates.command("set")
def set_rate(
    name: Annotated[str, typer.Argument(help="Name of the tax on documents, e.g. VAT.")],
    percent: Annotated[str, typer.Argument(help="Rate in percent, e.g. 19.")],
    *,
    tenant: TenantOption,
    country: CountryOption,
    valid_from: FromOption,
    valid_to: ToOption = None,
    region: RegionOption = "",
    category: Annotated[str, typer.Option(help="Tax category of what is sold.")] = STANDARD,
    actor: ActorOption = "operator",
    reason: ReasonOption = "rate set",
    as_json: JsonOption = False,
) -> None:
    """Let a rate hold from a date. What it meets ends there; after `--to` the rate of before comes back."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        zone = parse_zone(of.timezone)
        rate = TaxRate(
            name=name,
            jurisdiction=Jurisdiction(country, region),
            percent=_percent(percent),
            valid_from=read_validity(valid_from, zone=zone, name="--from"),
            valid_to=None if valid_to is None else read_validity(valid_to, zone=zone, name="--to"),
            category=category,
        )
        with opened.database.transaction(of.tenant_id) as uow:
            new = set_tax_rates(uow, [rate], now=tenant_now(of), actor=actor, reason=reason)
    _print_rates(new, as_json=as_json, headline="Set" if new else "This rate is there already.")


@rates.command("list")
def list_rates(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Print every rate with its validity."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            found = tax_rates(uow)
    _print_rates(found, as_json=as_json, headline="" if found else "There are no tax rates yet.")


@app.command("profile")
def profile(
    customer: CustomerArgument,
    *,
    tenant: TenantOption,
    country: CountryOption,
    region: RegionOption = "",
    tax_id: Annotated[str | None, typer.Option(help="Tax id of a business; its form is checked.")] = None,
    exempt_because: Annotated[str, typer.Option(help="Exempt from tax, with this reason.")] = "",
    reverse_charge: Annotated[bool, typer.Option("--reverse-charge", help="The customer owes the tax.")] = False,
    actor: ActorOption = "operator",
    reason: ReasonOption = "tax profile set",
    as_json: JsonOption = False,
) -> None:
    """Say how a customer is taxed. It takes the place of the customer's plain percentage."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        wanted = TaxProfile(
            jurisdiction=Jurisdiction(country, region),
            tax_id=tax_id,
            is_exempt=bool(exempt_because),
            exemption_reason=exempt_because,
            is_reverse_charge=reverse_charge,
        )
        with opened.database.transaction(of.tenant_id) as uow:
            customer_id = _customer(uow, customer)
            changed = set_tax_profiles(uow, {customer_id: wanted}, now=tenant_now(of), actor=actor, reason=reason)
        if as_json:
            print_json({"changed": [tax_profile_json(to) for to in changed.values()]})
        else:
            out.print("Set" if changed else "This profile is there already.")


@app.command("override")
def override(
    customer: CustomerArgument,
    rate: Annotated[list[str] | None, typer.Argument(help="NAME=PERCENT, e.g. VAT=0; none at all: no tax.")] = None,
    *,
    tenant: TenantOption,
    audit_reference: Annotated[str, typer.Option(help="The proof: number of a ruling, a certificate, a ticket.")],
    valid_from: FromOption,
    valid_to: ToOption = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "rates overridden",
    as_json: JsonOption = False,
) -> None:
    """Let rates replace all others of a customer."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        zone = parse_zone(of.timezone)
        replacing = tuple(_rate(words) for words in rate or ())
        with opened.database.transaction(of.tenant_id) as uow:
            wanted = TaxOverride(
                customer_id=_customer(uow, customer),
                rates=replacing,
                audit_reference=audit_reference,
                valid_from=read_validity(valid_from, zone=zone, name="--from"),
                valid_to=None if valid_to is None else read_validity(valid_to, zone=zone, name="--to"),
            )
            override_id = override_tax(uow, wanted, now=tenant_now(of), actor=actor, reason=reason)
        _print_id(override_id, as_json=as_json, word="Overridden")


@app.command("end-override")
def end_override(
    override: Annotated[str, typer.Argument(help="Id that `tenor tax override` printed.")],
    *,
    tenant: TenantOption,
    at: Annotated[str | None, typer.Option(help="Date or instant at which it ends; now where none is given.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "override ended",
    as_json: JsonOption = False,
) -> None:
    """End an override of rates."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        now = tenant_now(of)
        override_id = from_wire("tov", override)
        ends_at = now if at is None else read_validity(at, zone=parse_zone(of.timezone), name="--at")
        with opened.database.transaction(of.tenant_id) as uow:
            end_tax_override(uow, override_id, at=ends_at, now=now, actor=actor, reason=reason)
        _print_id(override_id, as_json=as_json, word="Ended")


def _customer(uow: UnitOfWork, external_id: str) -> CustomerId:
    found = customer_ids(uow, [external_id])
    if external_id not in found:
        raise NotFound(f"there is no customer {external_id[:60]!r}")
    return found[external_id]


def _rate(words: str) -> AppliedRate:
    name, equals, percent = words.rpartition("=")
    if not equals or not name:
        raise Malformed(f"RATE: {words[:60]!r} is not of the form NAME=PERCENT, such as VAT=0")
    return AppliedRate(name, _percent(percent))


def _percent(text: str) -> Decimal:
    return parse_decimal(text, name="percent", fraction_digits=PERCENT_DIGITS)


def _print_id(override_id: UUID, *, as_json: bool, word: str) -> None:
    if as_json:
        print_json({"override_id": to_wire("tov", override_id)})
    else:
        out.print(f"[green]{word}[/]  {to_wire('tov', override_id)}")


def _print_rates(found: list[TaxRate], *, as_json: bool, headline: str) -> None:
    if as_json:
        print_json({"rates": [tax_rate_json(rate) for rate in found]})
        return
    if headline:
        out.print(headline)
    if not found:
        return
    table = Table("place", "category", "tax", "percent", "from", "to", box=None)
    for rate in found:
        told = tax_rate_json(rate)
        percent = f"{plain(rate.percent)} %"
        table.add_row(
            told["jurisdiction"], rate.category, escape(rate.name), percent, told["valid_from"], told["valid_to"] or "–"
        )
    out.print(table)
