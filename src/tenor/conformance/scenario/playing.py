"""Play a scenario: the steps in order, each after everything that fell due before it, watched as it goes."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, Protocol

from tenor.conformance.scenario import (
    clock,
    clock_verbs,
    coupons,
    document_verbs,
    drafts,
    life_verbs,
    money_verbs,
    prepaid_verbs,
    usage_verbs,
)
from tenor.conformance.scenario.documents import Account
from tenor.conformance.scenario.money_verbs import tax_lines
from tenor.conformance.scenario.reading import Step, Story
from tenor.conformance.scenario.strict import NotRunnable, only
from tenor.conformance.scenario.terms import Terms
from tenor.conformance.scenario.world import World
from tenor.kernel.errors import Refusal

Verb = Callable[[World, Step], None]

_WHAT: Final = "customer subscription plan"

VERBS: Final[Mapping[str, tuple[Verb, str]]] = {
    "subscribe": (
        life_verbs.subscribe,
        f"{_WHAT} quantity quantities unit_amount base bundle anchor_day alignment start ends_at external_id coupon",
    ),
    "change_plan": (life_verbs.change_plan, "customer subscription plan effective anchor_day alignment prorate"),
    "change_quantity": (life_verbs.change_quantity, "customer subscription item quantity effective"),
    "pause": (life_verbs.pause, "customer subscription scope affects effective cycles"),
    "resume": (life_verbs.resume, "customer subscription affects effective"),
    "cancel": (life_verbs.cancel, "customer subscription effective billing_effective unused_time final_invoice"),
    "undo_cancel": (life_verbs.undo_cancel, "customer subscription"),
    "change_anchor": (life_verbs.change_anchor, "customer subscription scope anchor_day effective"),
    "set_trial_end": (life_verbs.set_trial_end, "subscription trial_end"),
    "transfer_bundle": (life_verbs.transfer_bundle, "customer bundle to_customer cancel_old"),
    "erase_subscription": (life_verbs.erase_subscription, "customer subscription"),
    "usage": (
        usage_verbs.usage,
        "customer subscription metric units cumulative_units properties event_at count unit_amount spread",
    ),
    "remove_usage": (usage_verbs.remove_usage, "customer subscription metric usage_at"),
    "advance": (clock_verbs.advance, "customer only billing tax_lines"),
    "run_invoicing": (clock_verbs.run_invoicing, "customer target"),
    "preview": (clock_verbs.preview, "customer target tax_lines"),
    "set_flag": (clock_verbs.set_flag, "customer subscription flag on tax_lines"),
    "pay": (money_verbs.pay, "customer invoice amount all"),
    "fail_payment": (money_verbs.fail_payment, "customer invoice all"),
    "settle_payment": (money_verbs.settle_payment, "customer amount currency"),
    "refund": (money_verbs.refund, "customer amount payment adjust_line"),
    "chargeback": (money_verbs.chargeback, "customer amount currency"),
    "chargeback_reversal": (money_verbs.chargeback_reversal, "customer"),
    "credit_account": (money_verbs.credit_account, "customer amount"),
    "adjust_line": (money_verbs.adjust_line, "customer subscription line amount tax_lines"),
    "one_off_invoice": (money_verbs.one_off_invoice, "customer lines draft"),
    "finalize_invoice": (document_verbs.finalize_invoice, "customer invoice"),
    "void_invoice": (document_verbs.void_invoice, "customer invoice to_credit to_refund"),
    "refresh_invoice": (drafts.refresh_invoice, "invoice"),
    "edit_line": (drafts.edit_line, "invoice line unit_amount units"),
    "credit_note": (document_verbs.credit_note, "invoice line amount requested_credit to_credit to_refund"),
    "create_wallet": (prepaid_verbs.create_wallet, "customer rate granted min_top_up limited_to rules"),
    "grant_credits": (prepaid_verbs.grant_credits, "amount"),
    "buy_credits": (prepaid_verbs.buy_credits, "amount held_until_paid"),
    "void_credits": (prepaid_verbs.void_credits, "amount"),
    "apply_coupon": (coupons.apply_coupon, "customer coupon"),
    "import_invoice": (money_verbs.import_invoice, "customer lines"),
}
"""What the simulation does, and the arguments that each verb takes. A verb that is not here is not built yet."""


class Watcher(Protocol):
    """Who looks at the world while a scenario is played."""

    def prepare(self, world: World) -> None:
        """Look at the world before anything has happened in it."""

    def next_look(self, *, after: datetime | None, before: datetime | None) -> datetime | None:
        """Return the next instant in (after, before) that is to be looked at on its own; None bounds nothing."""

    def before_step(self, world: World, number: int) -> None:
        """Look at the world right before a step."""

    def after_step(self, world: World, number: int) -> None:
        """Look at the world right after a step."""

    def at_rest(self, world: World) -> None:
        """Look at the world when everything of its instant is done."""


def play(story: Story, terms: Terms, watcher: Watcher) -> World:
    """Play a scenario from its first step to the last thing that is to be seen.

    Raises:
        NotRunnable: a verb, or an argument of one, that is not built yet.
        Refusal: a step was refused that should not be, or the other way round.
    """
    world = World(story, terms, terms.opened_at)
    world.accounts = {name: Account(name, buyer.anchor_day, buyer.balance) for name, buyer in story.buyers.items()}
    watcher.prepare(world)
    for step in story.steps:
        at = step.at or world.now
        _rest_until(world, watcher, at)
        if step.verb == "advance" and "tax_lines" in step.body:
            account = world.account(step.body.get("customer"))
            account.tax_lines += tax_lines(world, account, step.body)
        clock.advance(world, at)
        watcher.before_step(world, step.number)
        world.is_gathering = _goes_on(story, step)
        _do(world, step)
        clock.follow_up(world)
        watcher.after_step(world, step.number)
    _rest_until(world, watcher, None)
    return world


def _rest_until(world: World, watcher: Watcher, until: datetime | None) -> None:
    """Stop at every instant before `until` that is to be looked at, once all of it is done."""
    if until is not None and until <= world.now:
        return
    watcher.at_rest(world)
    look = watcher.next_look(after=world.now, before=until)
    while look is not None:
        clock.advance(world, look)
        watcher.at_rest(world)
        look = watcher.next_look(after=world.now, before=until)


def _goes_on(story: Story, step: Step) -> bool:
    """Whether billing waits for the next step: more bundles of one call, or an invoice that was billed elsewhere."""
    following = story.steps[step.number + 1] if step.number + 1 < len(story.steps) else None
    if following is None or step.verb != "subscribe" or following.at != step.at:
        return False
    is_same_call = following.verb == "subscribe" and "bundle" in step.body and "bundle" in following.body
    return is_same_call or following.verb == "import_invoice"


def _do(world: World, step: Step) -> None:
    if step.verb not in VERBS:
        raise NotRunnable(f"step {step.number}: the verb {step.verb!r} is not built yet")
    verb, known = VERBS[step.verb]
    only(step.body, known.split(), f"step {step.number} ({step.verb})")
    try:
        verb(world, step)
    except NotRunnable:
        raise
    except Refusal:
        if not step.is_refused:
            raise
    else:
        if step.is_refused:
            raise NotRunnable(f"step {step.number} ({step.verb}) should have been refused")
