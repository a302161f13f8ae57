"""Dunning: unpaid invoices move a customer from stage to stage; a stage may block billing until it is left."""

from collections.abc import Iterator
from datetime import datetime

from tenor.conformance.scenario.documents import ZERO, Account, Invoice
from tenor.conformance.scenario.life import Pause
from tenor.conformance.scenario.payments import pay
from tenor.conformance.scenario.reading import Stage
from tenor.conformance.scenario.terms import later_by_days
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date

CLEAR = "clear"


def checks(world: World, account: Account) -> Iterator[datetime]:
    """Yield when a customer's stage is looked at next, and when failed payments are tried again."""
    plan = world.story.dunning
    if plan is None:
        return
    zone = world.zone(account.id)
    for invoice in account.open_invoices[:1]:
        yield later_by_days(invoice.issued_at, plan.first_check_after_days, zone)
        for stage in plan.stages:
            if stage.days_since_earliest_unpaid is not None:
                yield later_by_days(invoice.issued_at, stage.days_since_earliest_unpaid, zone)
    for invoice in account.open_invoices:
        yield from _retries(world, account, invoice)


def check(world: World, account: Account) -> bool:
    """Retry what is due, then move to the stage that holds now; return whether a stage that blocked billing was left.

    A stage that blocks billing pauses all subscriptions of the customer; leaving it resumes them.
    """
    if world.story.dunning is None:
        return False
    _retry(world, account)
    before, now = _stage(world, stage_of(account)), _stage(world, _reached(world, account))
    if before == now:
        return False
    account.stages.append((world.now, now.name if now else CLEAR))
    blocked, blocks = before is not None and before.blocks_billing, now is not None and now.blocks_billing
    if blocks and not blocked:
        for subscription in world.subscriptions_of(account.id):
            subscription.pauses.append(Pause(world.now))
    if blocked and not blocks:
        for subscription in world.subscriptions_of(account.id):
            for pause in subscription.pauses:
                pause.end = pause.end or world.now
    return blocked and not blocks


def stage_of(account: Account) -> str:
    """Return the name of the stage that the last check found."""
    return account.stages[-1][1] if account.stages else CLEAR


def stages_at(account: Account, at: datetime) -> set[str]:
    """Return every stage that stood at the instant `at`: one that was left in it stood at it, too."""
    before = [name for when, name in account.stages if when < at]
    during = {name for when, name in account.stages if when == at}
    return during or {before[-1] if before else CLEAR}


def _stage(world: World, name: str) -> Stage | None:
    stages = world.story.dunning.stages if world.story.dunning else ()
    return next((stage for stage in stages if stage.name == name), None)


def _reached(world: World, account: Account) -> str:
    """Return the last stage whose every bound is met by the invoices that are unpaid."""
    unpaid = account.open_invoices
    if not unpaid or world.story.dunning is None:
        return CLEAR
    zone = world.zone(account.id)
    days = (local_date(world.now, zone) - local_date(unpaid[0].issued_at, zone)).days
    balance = sum((invoice.balance for invoice in unpaid), ZERO)
    reached = [
        stage.name
        for stage in world.story.dunning.stages
        if days >= (stage.days_since_earliest_unpaid or 0)
        and len(unpaid) >= (stage.unpaid_invoices or 0)
        and balance >= (stage.unpaid_balance or ZERO)
    ]
    return reached[-1] if reached else CLEAR


def _retries(world: World, account: Account, invoice: Invoice) -> Iterator[datetime]:
    if world.story.dunning is None or not invoice.payments or not invoice.payments[0].has_failed:
        return
    days, zone = 0, world.zone(account.id)
    for delay in world.story.dunning.retry_days:
        days += delay
        yield later_by_days(invoice.payments[0].at, days, zone)


def _retry(world: World, account: Account) -> None:
    for invoice in account.open_invoices:
        if world.now in _retries(world, account, invoice) and not account.payments_fail:
            pay(world, account, invoice, invoice.balance)
