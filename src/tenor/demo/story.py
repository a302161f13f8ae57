"""Play a story: move a sandbox's clock from step to step, act, bill; then audit what came of it.

The sandbox's clock is the bookmark. It moves to a step before anything of the step is done, and it never moves
back. So when a story is played again, steps behind the clock are over, and the step at the clock, whose acts and
bill run may have been interrupted, is finished. Acts change nothing when they are repeated; that, too, is shown.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from tenor.invoicing import BatchSummary, BillRunReport, PlannedRun, Proof, bill, prove
from tenor.kernel.errors import Conflict, NotFound
from tenor.ledger import TrialBalance, trial_balance
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.platform.tenants import Tenant, create_tenant, find_tenant, set_clock
from tenor.platform.unit_of_work import UnitOfWork

ACTOR: Final = "demo"

Tell = Callable[[str, int, int | None], None]
"""Told a long step, how much of it is done, and of how much (None: not known)."""


class Moment(NamedTuple):
    """What an act gets: a transaction, the sandbox's time, and somebody to tell how far it has come."""

    uow: UnitOfWork
    now: datetime
    tell: Tell


Act = Callable[[Moment], str]
"""Does something to a tenant and returns what it did as a short text. To repeat it changes nothing."""


class Step(NamedTuple):
    """What happens at one instant of a story: its acts in order, each in one transaction, then perhaps a bill run."""

    at: datetime
    acts: tuple[Act, ...]
    is_billed: bool = True


class Check(NamedTuple):
    """A figure of the engine beside the same figure worked out from the published data alone."""

    what: str
    from_data: str
    from_engine: str

    @property
    def holds(self) -> bool:
        """Whether both are the same."""
        return self.from_data == self.from_engine


class CreditFigures(NamedTuple):
    """What was paid for the prepaid credit of one kind of wallet, in major units: what came, what went, what is left.

    `in_ledger` is what the ledger says is still owed for it.
    """

    wallets: str
    sold: str
    topped_up: str
    drawn: str
    lapsed: str
    left: str
    in_ledger: str

    @property
    def holds(self) -> bool:
        """Whether what came less what went is left, and the ledger says so."""
        sold, topped_up, drawn, lapsed, left, in_ledger = map(Decimal, self[1:])
        return sold + topped_up - drawn - lapsed == left == in_ledger


@dataclass(frozen=True, slots=True)
class Story:
    """A sandbox tenant and what happens to it, step by step; `checks` compares what came of it with the data.

    `assumed` says in one sentence what the data does not say and the story adds; `exhibit` names the customer and
    the time of issue of a document worth a look; `credits` reads the figures of prepaid credit, where it is sold.
    """

    slug: str
    name: str
    assumed: str
    steps: tuple[Step, ...]
    checks: Callable[[UnitOfWork], list[Check]]
    exhibit: tuple[str, datetime] | None = None
    credits: Callable[[UnitOfWork], list[CreditFigures]] | None = None


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step after it was played: what its acts said, and its bill runs; None where it has none, or they are past."""

    step: Step
    did: tuple[str, ...]
    runs: tuple[BillRunReport, ...] | None


@dataclass(frozen=True, slots=True)
class Audit:
    """Whether the tenant's books are what they must be."""

    checks: Sequence[Check]
    proof: Proof
    balance: TrialBalance
    credits: Sequence[CreditFigures] = ()

    @property
    def holds(self) -> bool:
        """Whether every check and figure agrees, the proof found nothing and the ledger balances."""
        unbalanced = any(self.balance.difference_minor(currency) for currency in self.balance.currencies)
        agree = all(check.holds for check in self.checks) and all(figures.holds for figures in self.credits)
        return agree and self.proof.holds and not unbalanced


class NotTheDemos(Conflict):
    """A tenant that has the slug of a story's sandbox and is something else."""

    code = "not_the_demos"


def open_sandbox(database: Database, story: Story) -> tuple[Tenant, bool]:
    """Return the story's tenant, and whether it was there before; a new one's clock stands at the first step.

    Raises:
        NotTheDemos: somebody else's tenant has the story's slug.
    """
    try:
        tenant = find_tenant(database, story.slug)
    except NotFound:
        create_tenant(database, slug=story.slug, name=story.name, is_sandbox=True, clock_at=story.steps[0].at)
        return find_tenant(database, story.slug), False
    if not tenant.is_sandbox or tenant.name != story.name:
        raise NotTheDemos(f"tenant {story.slug!r} was not made by the demo, which leaves it alone")
    return tenant, True


def play(database: Database, settings: Settings, story: Story, step: Step, *, tell: Tell) -> StepDone:
    """Play a step of a story whose sandbox is open, the steps before it having been played."""
    tenant = find_tenant(database, story.slug)
    clock = tenant.clock_at or step.at
    if step.at > clock:
        clock = step.at
        set_clock(database, tenant.tenant_id, clock)
    did = []
    for act in step.acts:
        with database.transaction(tenant.tenant_id) as uow:
            did.append(act(Moment(uow, clock, tell)))
    if not step.is_billed or step.at < clock:
        return StepDone(step, tuple(did), None)

    def tell_batch(run: PlannedRun, done: BatchSummary) -> None:
        tell("billing subscriptions", done.subscriptions, run.subscription_count)

    runs = bill(database, settings, tenant.tenant_id, as_of=clock, actor=ACTOR, on_progress=tell_batch)
    return StepDone(step, tuple(did), tuple(runs))


def audit(database: Database, tenant: Tenant, story: Story, *, tell: Tell) -> Audit:
    """Prove everything that the tenant has issued, in one snapshot."""
    proven: Counter[str] = Counter()

    def tell_more(what: str, more: int) -> None:
        proven[what] += more
        tell(f"proving {what}", proven[what], None)

    with database.transaction(tenant.tenant_id, is_snapshot=True) as uow:
        prepaid = story.credits(uow) if story.credits else []
        return Audit(story.checks(uow), prove(uow, on_progress=tell_more), trial_balance(uow), prepaid)
