"""`tenor subscription pause`, `resume`, `cancel`, `undo`, `trial`, `term`, `anchor`, `transfer`: whether and when."""

from typing import Annotated, Literal

import typer

from tenor.cli.commands.subscription_changes import CREDITS, AddOnOption, CreditOption, add_on_id
from tenor.cli.commands.subscription_frame import Call, change_command, customer_id, interval
from tenor.cli.groups import command_group
from tenor.kernel.errors import Malformed
from tenor.kernel.period import parse_instant
from tenor.subscriptions import (
    BillingDate,
    Cycles,
    Subscription,
    UnusedTime,
    cancel,
    convert_trial,
    end_trial,
    extend_term,
    extend_trial,
    move_anchor,
    pause,
    renew,
    resume,
    shorten_term,
    transfer,
    undo_change,
)

BillingDateOption = Annotated[
    BillingDate | None, typer.Option(help="Whether the billing dates stay, begin anew or shift when it goes on.")
]
UntilOption = Annotated[str, typer.Option(help="An instant ahead.")]
LengthOption = Annotated[str | None, typer.Option("--for", help="Length of the new term, e.g. '1 year', '6 months'.")]

trial_app = command_group("The trial that runs.")
term_app = command_group("The agreed term.")


def register(app: typer.Typer) -> None:
    """Add these commands to `tenor subscription`."""
    change_command(app, "pause", at="now")(_pause)
    change_command(app, "resume", at="now")(_resume)
    change_command(app, "cancel", at="period_end")(_cancel)
    change_command(app, "undo", at=None)(_undo)
    change_command(app, "renew", at=None)(_renew)
    change_command(app, "anchor", at="period_end")(_anchor)
    change_command(app, "transfer", at="now")(_transfer)
    change_command(trial_app, "extend", at=None)(_extend_trial)
    change_command(trial_app, "convert", at="now")(_convert_trial)
    change_command(trial_app, "end", at="now")(_end_trial)
    app.add_typer(trial_app, name="trial")
    change_command(term_app, "extend", at=None)(_extend_term)
    change_command(term_app, "shorten", at=None)(_shorten_term)
    app.add_typer(term_app, name="term")


def _pause(
    call: Call,
    *,
    until: Annotated[str | None, typer.Option(help="When it goes on by itself; else `resume` says.")] = None,
    cycles: Annotated[int | None, typer.Option(help="After how many billing periods it goes on.")] = None,
    unused_time: Annotated[UnusedTime, typer.Option(help="What becomes of time that is paid ahead.")] = "credit",
    billing_date: BillingDateOption = None,
    extend_term: Annotated[bool, typer.Option("--extend-term", help="Prolong the term by the pause.")] = False,
) -> Subscription:
    """Stop service and billing, until an instant, for some billing periods, or until it is resumed."""
    if until is not None and cycles is not None:
        raise Malformed("--until and --cycles both say when it goes on; give one of them")
    ends = Cycles(cycles) if cycles is not None else None if until is None else parse_instant(until, name="--until")
    return pause(
        call.uow,
        call.subscription.id,
        effective=call.at,
        until=ends,
        unused_time=unused_time,
        billing_date=billing_date,
        extends_term=extend_term,
        **call.decided,
    )


def _resume(
    call: Call,
    *,
    billing_date: BillingDateOption = None,
    extend_term: Annotated[bool | None, typer.Option(help="Prolong the term by the pause; else as agreed.")] = None,
) -> Subscription:
    """Go on with service and billing, earlier or later than the pause was to end."""
    return resume(
        call.uow,
        call.subscription.id,
        effective=call.at,
        billing_date=billing_date,
        extends_term=extend_term,
        **call.decided,
    )


def _cancel(call: Call, *, credit: CreditOption = "prorated") -> Subscription:
    """End a subscription. The next run credits what was paid beyond its end."""
    return cancel(call.uow, call.subscription.id, effective=call.at, closing=CREDITS[credit], **call.decided)


def _undo(
    call: Call,
    *,
    entry: Annotated[int, typer.Option(help="Number of the entry; `scheduled` and `journal` list them.")],
    backdated: Annotated[bool, typer.Option("--backdated", help="Also one that has taken effect.")] = False,
) -> Subscription:
    """Take back an entry of the journal that is still ahead, also a cancellation."""
    return undo_change(call.uow, call.subscription.id, entry=entry, is_backdated=backdated, **call.decided)


def _renew(call: Call, *, length: LengthOption = None) -> Subscription:
    """Let another term follow the one that is agreed."""
    return renew(call.uow, call.subscription.id, by=None if length is None else interval(length), **call.decided)


def _anchor(
    call: Call,
    *,
    day: Annotated[int | None, typer.Option(help="Day of the month.")] = None,
    instant: Annotated[str | None, typer.Option(help="The instant from which billing periods count.")] = None,
    add_on: AddOnOption = None,
) -> Subscription:
    """Move the billing dates."""
    if (day is None) == (instant is None):
        raise Malformed("say to what the billing dates move: --day or --instant")
    to = parse_instant(instant, name="--instant") if day is None else day
    return move_anchor(
        call.uow, call.subscription.id, to=to, effective=call.at, add_on=add_on_id(call, add_on), **call.decided
    )


def _transfer(
    call: Call,
    *,
    to: Annotated[str, typer.Option(help="External id of the customer who goes on with it.")],
    as_: Annotated[str, typer.Option("--as", help="External id of the subscription there.")],
    anchor: Annotated[Literal["keep", "restart"], typer.Option(help="The billing dates there.")] = "keep",
) -> Subscription:
    """Let another customer go on with a subscription; the rest of the period here is credited."""
    return transfer(
        call.uow,
        call.subscription.id,
        to=customer_id(call.uow, to),
        external_id=as_,
        effective=call.at,
        anchor=anchor,
        **call.decided,
    )


def _extend_trial(call: Call, *, until: UntilOption) -> Subscription:
    """Let the trial end later."""
    return extend_trial(call.uow, call.subscription.id, ends_at=parse_instant(until, name="--until"), **call.decided)


def _convert_trial(call: Call) -> Subscription:
    """End the trial and go over into the paid plan."""
    return convert_trial(call.uow, call.subscription.id, effective=call.at, **call.decided)


def _end_trial(call: Call) -> Subscription:
    """End the trial, and the subscription with it."""
    return end_trial(call.uow, call.subscription.id, effective=call.at, **call.decided)


def _extend_term(
    call: Call,
    *,
    length: Annotated[str | None, typer.Option("--by", help="By how much, e.g. '6 months'.")] = None,
    until: Annotated[str | None, typer.Option(help="Until an instant.")] = None,
    forever: Annotated[bool, typer.Option("--forever", help="Without an end.")] = False,
) -> Subscription:
    """Let the term end later, or never."""
    if [length is not None, until is not None, forever].count(True) != 1:
        raise Malformed("say how far: one of --by, --until and --forever")
    by = interval(length) if length is not None else None if until is None else parse_instant(until, name="--until")
    return extend_term(call.uow, call.subscription.id, by=by, **call.decided)


def _shorten_term(call: Call, *, until: UntilOption) -> Subscription:
    """Let the term end earlier."""
    return shorten_term(call.uow, call.subscription.id, ends_at=parse_instant(until, name="--until"), **call.decided)
