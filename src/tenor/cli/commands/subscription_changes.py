"""`tenor subscription change-plan`, `change-quantity`, `change-prices`, `add-on`, `discount`: what a customer has."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

import typer

from tenor.cli.commands.subscription_frame import Call, QuantityOption, change_command, decimals, pairs
from tenor.cli.groups import command_group
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import ItemId
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_unit_price
from tenor.subscriptions import (
    Closing,
    PriceStep,
    Subscription,
    add_add_on,
    apply_discount,
    change_plan,
    change_prices,
    change_quantity,
    find_add_on,
    find_discount,
    remove_add_on,
    remove_discount,
)

CREDITS: Final = {"none": Closing.WHOLE, "prorated": Closing.PRORATED, "full": Closing.FREE}
"""What an end inside a period gives back of it."""

AddOnOption = Annotated[
    str | None, typer.Option("--add-on", help="The add-on that is meant, by its plan or its id (itm_…); else the plan.")
]
CreditOption = Annotated[
    Literal["none", "prorated", "full"], typer.Option(help="What is given back of the period that is cut.")
]
PriceOption = Annotated[
    list[str] | None, typer.Option("--price", help="CHARGE=AMOUNT that overrules the plan's; may be repeated.")
]
StepOption = Annotated[
    list[str] | None,
    typer.Option("--step", help="INSTANT=CHARGE:AMOUNT, a later step of a ramp; AMOUNT 'plan' is the plan's own."),
]

add_on_app = command_group("Plans that run beside the subscription's own.")
discount_app = command_group("Coupons and promotion codes.")


def register(app: typer.Typer) -> None:
    """Add these commands to `tenor subscription`."""
    change_command(app, "change-plan", at="now")(_change_plan)
    change_command(app, "change-quantity", at="now")(_change_quantity)
    change_command(app, "change-prices", at="now")(_change_prices)
    change_command(add_on_app, "add", at="now")(_add)
    change_command(add_on_app, "remove", at="period_end")(_remove)
    app.add_typer(add_on_app, name="add-on")
    change_command(discount_app, "apply", at="now")(_apply)
    change_command(discount_app, "remove", at="now")(_remove_discount)
    app.add_typer(discount_app, name="discount")


def _change_plan(
    call: Call,
    *,
    plan: Annotated[str, typer.Option(help="Code of the plan to have from then on.")],
    quantity: QuantityOption = None,
    price: PriceOption = None,
    credit: CreditOption = "prorated",
    by_policy: Annotated[bool, typer.Option("--by-policy", help="When, says the profile; not --effective.")] = False,
    add_on: AddOnOption = None,
) -> Subscription:
    """Put a subscription on another plan, or on the newest edition of its own."""
    return change_plan(
        call.uow,
        call.subscription.id,
        plan=plan,
        effective=None if by_policy else call.at,
        quantities=decimals(quantity, "--quantity"),
        prices=decimals(price, "--price"),
        closing=CREDITS[credit],
        add_on=add_on_id(call, add_on),
        **call.decided,
    )


def _change_quantity(
    call: Call,
    *,
    quantity: QuantityOption = None,
    decrease: Annotated[Literal["now", "renewal"], typer.Option(help="When fewer units take effect.")] = "now",
    add_on: AddOnOption = None,
) -> Subscription:
    """Set the units of seat charges."""
    if not quantity:
        raise Malformed("say how many units: --quantity CHARGE=UNITS")
    return change_quantity(
        call.uow,
        call.subscription.id,
        quantities=decimals(quantity, "--quantity"),
        effective=call.at,
        decrease=decrease,
        add_on=add_on_id(call, add_on),
        **call.decided,
    )


def _change_prices(
    call: Call, *, price: PriceOption = None, step: StepOption = None, add_on: AddOnOption = None
) -> Subscription:
    """Agree on unit prices, at once or as a ramp: --price from --effective on, each --step from its own instant on."""
    if not price and not step:
        raise Malformed("say what is to be paid: --price CHARGE=AMOUNT, --step INSTANT=CHARGE:AMOUNT, or both")
    first = pairs(price, "--price", form="CHARGE=AMOUNT, each charge once")
    prices = {code: _price(amount, name=f"--price {code}") for code, amount in first.items()}
    steps = [PriceStep(call.at, prices)] if prices else []
    return change_prices(
        call.uow,
        call.subscription.id,
        steps=[*steps, *_later_steps(step or [])],
        add_on=add_on_id(call, add_on),
        **call.decided,
    )


def _add(
    call: Call,
    *,
    plan: Annotated[str, typer.Option(help="Code of the plan to run beside.")],
    quantity: QuantityOption = None,
    price: PriceOption = None,
    anchor: Annotated[Literal["plan", "own"], typer.Option(help="Renew with the plan, or on its own dates.")] = "plan",
) -> Subscription:
    """Add an add-on."""
    return add_add_on(
        call.uow,
        call.subscription.id,
        plan=plan,
        effective=call.at,
        quantities=decimals(quantity, "--quantity"),
        prices=decimals(price, "--price"),
        anchor=anchor,
        **call.decided,
    )


def _remove(
    call: Call,
    *,
    add_on: Annotated[str, typer.Option("--add-on", help="By its plan or its id (itm_…).")],
    credit: CreditOption = "prorated",
) -> Subscription:
    """End an add-on."""
    return remove_add_on(
        call.uow,
        call.subscription.id,
        add_on=find_add_on(call.uow, call.subscription.id, add_on),
        effective=call.at,
        closing=CREDITS[credit],
        **call.decided,
    )


def _apply(
    call: Call,
    *,
    coupon: Annotated[str | None, typer.Option(help="Code of a coupon.")] = None,
    promotion_code: Annotated[str | None, typer.Option(help="Promotion code of a coupon.")] = None,
) -> Subscription:
    """Redeem a coupon or a promotion code."""
    if (coupon is None) == (promotion_code is None):
        raise Malformed("give a coupon by --coupon, or a promotion code by --promotion-code")
    return apply_discount(
        call.uow,
        call.subscription.id,
        coupon=coupon,
        promotion_code=promotion_code,
        effective=call.at,
        **call.decided,
    )


def _remove_discount(
    call: Call, *, discount: Annotated[str, typer.Option(help="By the code of its coupon or its id (dis_…).")]
) -> Subscription:
    """End a discount. What it took off already stays so."""
    return remove_discount(
        call.uow,
        call.subscription.id,
        discount=find_discount(call.uow, call.subscription.id, discount),
        effective=call.at,
        **call.decided,
    )


def _price(text: str, *, name: str) -> Decimal | None:
    return None if text == "plan" else parse_unit_price(text, name=name)


def _later_steps(texts: list[str]) -> list[PriceStep]:
    """Read steps INSTANT=CHARGE:AMOUNT; those of one instant are one step."""
    steps: dict[datetime, dict[str, Decimal | None]] = {}
    for text in texts:
        instant, equals, priced = text.partition("=")
        charge, colon, amount = priced.partition(":")
        if not equals or not colon:
            raise Malformed(f"--step {text!r}: write INSTANT=CHARGE:AMOUNT")
        prices = steps.setdefault(parse_instant(instant, name="--step"), {})
        if charge in prices:
            raise Malformed(f"--step {text!r}: {charge!r} has a price at that instant already")
        prices[charge] = _price(amount, name=f"--step {charge}")
    return [PriceStep(at, prices) for at, prices in steps.items()]


def add_on_id(call: Call, text: str | None) -> ItemId | None:
    """Return the id of the add-on that an option names; None where it names none."""
    return None if text is None else find_add_on(call.uow, call.subscription.id, text)
