"""Verbs of the clock: time moves, a run is asked for by name, and flags that hold runs back."""

from datetime import date, datetime

from tenor.conformance.scenario import closing, drafts
from tenor.conformance.scenario.calendar import run_target
from tenor.conformance.scenario.money_verbs import tax_lines
from tenor.conformance.scenario.payments import collect
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.running import preview as preview_run
from tenor.conformance.scenario.running import run
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import midnight_of


def advance(world: World, step: Step) -> None:
    """Arrive at an instant: where nothing runs by itself, the billing job runs now, or that for ended trials alone."""
    if world.terms.runs_by_itself or world.terms.is_account_centred or step.body.get("billing") is False:
        return
    for customer, account in world.accounts.items():
        drafts.finalise_over(world, account)
        if step.body.get("only") == "trial_end":
            tried = [entry for entry in world.subscriptions_of(customer) if entry.plan_at(world.now).plan.has_trial]
            run(world, customer, subscriptions=tried, fees_alone=True)
            continue
        closing.close_ended(world, customer)
        run(world, customer)


def run_invoicing(world: World, step: Step) -> None:
    """Bill up to a date, today where none is given."""
    run(world, step.body["customer"], target=_target(world, step))


def preview(world: World, step: Step) -> None:
    """Show what a run for a date would bill."""
    account = world.account(step.body["customer"])
    account.tax_lines = tax_lines(world, account, step.body)
    preview_run(world, step.body["customer"], target=_target(world, step))


def set_flag(world: World, step: Step) -> None:
    """Switch a flag of a customer, or invoicing of one subscription, on or off; switched off, what waited is billed."""
    flag, is_on = step.body["flag"], step.body["on"]
    if "subscription" in step.body and flag == "invoicing_off":
        subscription = world.subscription(step.body["subscription"])
        subscription.is_invoiced = not is_on
        customer = subscription.customer
    else:
        account = world.account(step.body.get("customer"))
        account.tax_lines += tax_lines(world, account, step.body)
        (account.flags.add if is_on else account.flags.discard)(flag)
        customer = account.id
    if is_on:
        return
    if flag == "invoicing_off" and world.terms.runs_by_itself:
        run(world, customer)
    if flag == "auto_pay_off":
        for invoice in world.account(customer).open_invoices:
            collect(world, world.account(customer), invoice)


def _target(world: World, step: Step) -> datetime:
    customer = step.body["customer"]
    if "target" not in step.body:
        return run_target(world, customer, world.now)
    return midnight_of(date.fromisoformat(step.body["target"]), world.zone(customer))
