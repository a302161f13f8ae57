"""`tenor coupon` and `tenor promotion`: offers, and the words that redeem them."""

from typing import Annotated, cast

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session, tenant_now
from tenor.customers import customer_ids
from tenor.kernel.errors import Malformed, NotFound
from tenor.kernel.ids import to_wire
from tenor.kernel.money import Money, exponent
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal, plain
from tenor.pricing import (
    Coupon,
    DiscountTerms,
    Limits,
    all_coupons,
    archive_coupon,
    create_coupon,
    create_promotion_code,
    promotion_words,
)
from tenor.pricing.discounts.model import Duration
from tenor.wire import coupon_json, listed_coupon_json, promotion_code_json

coupon_app = command_group("Offer coupons, list and archive them.")
promotion_app = command_group("Give coupons a word by which customers redeem them.")

CodeArgument = Annotated[str, typer.Argument(help="Code of the coupon: a-z, 0-9, '_', '.', '-'.")]
ScopeOption = Annotated[list[str] | None, typer.Option(help="Only on this one; may be repeated.")]
MaxOption = Annotated[int | None, typer.Option(help="Redemptions by all customers together.")]
RedeemByOption = Annotated[str | None, typer.Option(help="Instant from which on it cannot be redeemed.")]
MinimumOption = Annotated[str | None, typer.Option(help="AMOUNT CURRENCY that the order must come to, '50.00 EUR'.")]
FirstOption = Annotated[bool, typer.Option("--first-purchase", help="Only for customers who never bought before.")]


@coupon_app.callback()
def coupon() -> None:
    """Offer coupons, list and archive them."""


@promotion_app.callback()
def promotion() -> None:
    """Give coupons a word by which customers redeem them."""


@coupon_app.command("create")
def create(
    code: CodeArgument,
    *,
    tenant: TenantOption,
    name: Annotated[str | None, typer.Option(help="Name on documents; the code where none is given.")] = None,
    percent: Annotated[str | None, typer.Option(help="Percentage off, e.g. 20.")] = None,
    amount: Annotated[str | None, typer.Option(help="AMOUNT CURRENCY off, e.g. '5.00 EUR'.")] = None,
    duration: Annotated[str, typer.Option(help="once, repeating or forever.")] = "forever",
    periods: Annotated[int | None, typer.Option(help="Billing periods of a repeating discount.")] = None,
    plan: ScopeOption = None,
    product: ScopeOption = None,
    charge: ScopeOption = None,
    metric: ScopeOption = None,
    max_redemptions: MaxOption = None,
    max_per_customer: Annotated[int | None, typer.Option(help="Redemptions by each customer.")] = None,
    redeem_by: RedeemByOption = None,
    minimum_order: MinimumOption = None,
    first_purchase: FirstOption = False,
    actor: ActorOption = "operator",
    reason: ReasonOption = "offered by the command line",
    as_json: JsonOption = False,
) -> None:
    """Offer a coupon. Its terms never change; repeating it with the same content changes nothing."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        if (percent is None) == (amount is None):
            raise Malformed("say what the coupon takes off: --percent or --amount")
        off = None if amount is None else _money(amount, "--amount")
        terms = DiscountTerms(
            code=code,
            name=name or code,
            percent_off=None if percent is None else parse_decimal(percent, name="--percent"),
            amount_off=None if off is None else off.as_decimal(),
            currency=None if off is None else off.currency,
            duration=cast(Duration, duration),
            periods=periods,
            plans=tuple(plan or ()),
            products=tuple(product or ()),
            charges=tuple(charge or ()),
            metrics=tuple(metric or ()),
        )
        limits = _limits(max_redemptions, redeem_by, minimum_order, is_first_purchase_only=first_purchase)
        with opened.database.transaction(of.tenant_id) as uow:
            made = create_coupon(
                uow,
                terms,
                limits=limits,
                max_per_customer=max_per_customer,
                now=tenant_now(of),
                actor=actor,
                reason=reason,
            )
        _print(made, "Offered", as_json=as_json)


@coupon_app.command("list")
def list_command(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """List the coupons with what is left of them, and their promotion codes."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            coupons = all_coupons(uow)
            words = promotion_words(uow, [one.id for one in coupons])
        if as_json:
            print_json({"coupons": [listed_coupon_json(one, words.get(one.id, ())) for one in coupons]})
            return
        if not coupons:
            out.print("There is no coupon yet. Make one with [bold]tenor coupon create CODE[/].")
            return
        table = Table("coupon", "takes off", "for", "redeemed", "codes", "", box=None)
        for one in coupons:
            left = "" if one.limits.max_redemptions is None else f" of {one.limits.max_redemptions:,}"
            table.add_row(
                escape(one.terms.code),
                _value(one.terms),
                _duration(one.terms),
                f"{one.redeemed:,}{left}",
                " ".join(words.get(one.id, [])),
                "" if one.archived_at is None else "archived",
            )
        out.print(table)


@coupon_app.command("archive")
def archive(
    code: CodeArgument,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "archived by the command line",
    as_json: JsonOption = False,
) -> None:
    """End the offer, also through its promotion codes; discounts that were granted go on."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            archived = archive_coupon(uow, code, now=tenant_now(of), actor=actor, reason=reason)
        _print(archived, "Archived", as_json=as_json)


@promotion_app.command("create")
def create_promotion(
    word: Annotated[str, typer.Argument(help="What the customer types; capitals and small letters are the same.")],
    *,
    tenant: TenantOption,
    coupon: Annotated[str, typer.Option(help="Code of the coupon that it redeems.")],
    customer: Annotated[str | None, typer.Option(help="External id of the only customer who may use it.")] = None,
    max_redemptions: MaxOption = None,
    redeem_by: RedeemByOption = None,
    minimum_order: MinimumOption = None,
    first_purchase: FirstOption = False,
    actor: ActorOption = "operator",
    reason: ReasonOption = "made by the command line",
    as_json: JsonOption = False,
) -> None:
    """Make a promotion code for a coupon, with limits of its own beside the coupon's."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        limits = _limits(max_redemptions, redeem_by, minimum_order, is_first_purchase_only=first_purchase)
        with opened.database.transaction(of.tenant_id) as uow:
            known = {} if customer is None else customer_ids(uow, [customer])
            if customer is not None and customer not in known:
                raise NotFound(f"there is no customer {customer[:60]!r}; `tenor customer add` registers one")
            made = create_promotion_code(
                uow,
                word,
                coupon=coupon,
                limits=limits,
                customer_id=None if customer is None else known[customer],
                now=tenant_now(of),
                actor=actor,
                reason=reason,
            )
        if as_json:
            print_json(promotion_code_json(made, coupon=coupon))
        else:
            out.print(f"[green]Made[/]  {made.code}  for coupon {escape(coupon)}  {to_wire('prm', made.id)}")


def _limits(
    max_redemptions: int | None, redeem_by: str | None, minimum_order: str | None, *, is_first_purchase_only: bool
) -> Limits:
    return Limits(
        max_redemptions=max_redemptions,
        redeem_by=None if redeem_by is None else parse_instant(redeem_by, name="--redeem-by"),
        minimum_order=None if minimum_order is None else _money(minimum_order, "--minimum-order"),
        is_first_purchase_only=is_first_purchase_only,
    )


def _money(text: str, option: str) -> Money:
    """Read '5.00 EUR'; more digits than the currency has are refused, not rounded."""
    number, space, currency = text.strip().partition(" ")
    if not space:
        raise Malformed(f"{option}: {text[:60]!r} names no currency; write AMOUNT CURRENCY, such as '5.00 EUR'")
    amount = parse_decimal(number, name=option)
    money = Money.from_decimal(amount, currency)
    if money.as_decimal() != amount:
        raise Malformed(f"{option}: {currency} has {exponent(currency)} digits after the point, {number} has more")
    return money


def _value(terms: DiscountTerms) -> str:
    if terms.percent_off is not None:
        return f"{plain(terms.percent_off)} %"
    return f"{terms.amount_off} {terms.currency}"


def _duration(terms: DiscountTerms) -> str:
    return f"{terms.periods} periods" if terms.duration == "repeating" else terms.duration


def _print(of: Coupon, deed: str, *, as_json: bool) -> None:
    if as_json:
        print_json(coupon_json(of))
    else:
        words = f"{_value(of.terms)} off, {_duration(of.terms)}"
        out.print(f"[green]{deed}[/]  {escape(of.terms.code)}  {words}  {to_wire('cpn', of.id)}")
