"""The clock: whatever falls due at an instant is done before anything else happens at it."""

from collections.abc import Iterator
from datetime import datetime

from tenor.conformance.scenario import dunning, family, prepaid, standing
from tenor.conformance.scenario.calendar import run_instant, slices
from tenor.conformance.scenario.life import Cut, stretches
from tenor.conformance.scenario.running import run
from tenor.conformance.scenario.world import World

_TIMED = frozenset({"recurring", "seat", "usage", "commitment"})


def advance(world: World, until: datetime) -> None:
    """Move the clock to `until` and do all that falls due on the way, in order of time."""
    while True:
        due = [at for at in _due_instants(world, until) if world.now < at <= until]
        if not due:
            break
        world.now = min(due)
        for customer in world.accounts:
            work(world, customer)
    world.now = until


def work(world: World, customer: str) -> None:
    """Do what is due for a customer now: dunning, then billing."""
    standing.end_trials(world, customer)
    family.close(world, world.account(customer))
    dunning.check(world, world.account(customer))
    if world.terms.runs_by_itself:
        run(world, customer)


def follow_up(world: World) -> None:
    """See what a step did to drafts that gather and to stages of dunning; who is free again is billed at once."""
    for account in world.accounts.values():
        family.reckon(world, account)
        prepaid.take_paid(world, account)
        prepaid.fill_up(world, account)
        if dunning.check(world, account):
            run(world, account.id)


def _due_instants(world: World, until: datetime) -> Iterator[datetime]:
    for account in world.accounts.values():
        yield from dunning.checks(world, account)
        yield from family.gathering_ends(world, account)
    if not world.terms.runs_by_itself:
        return
    for subscription in world.subscriptions.values():
        for entry in stretches(subscription):
            if entry.opened_by is not Cut.EDITION:
                yield entry.start
            if entry.end is not None and entry.closed_by is not Cut.EDITION:
                yield entry.end
        for slice_ in slices(world, subscription, _TIMED, until=until):
            yield run_instant(world, subscription, slice_.due_at)
