"""The expected facts, read from the world at their instants: each is met, or says what it found instead."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from tenor.conformance.compare import equals
from tenor.conformance.scenario import dunning, note_facts, notes, prepaid
from tenor.conformance.scenario.documents import Account, Invoice
from tenor.conformance.scenario.invoice_facts import invoice_differences
from tenor.conformance.scenario.life_verbs import charged_through
from tenor.conformance.scenario.payments import latest_payment, refunded_sum
from tenor.conformance.scenario.selecting import select_invoices
from tenor.conformance.scenario.standing import state_of
from tenor.conformance.scenario.terms import later_by_days
from tenor.conformance.scenario.thresholds import lifetime_usage
from tenor.conformance.scenario.world import World
from tenor.kernel.calendar import local_date, midnight_of
from tenor.kernel.errors import Refusal
from tenor.kernel.period import parse_instant

Fact = Mapping[str, Any]

_PLACE: Final = frozenset({"at", "after_step", "before_step", "customer", "subscription", "source_line", "derived"})
_INSTANT: Final = timedelta(microseconds=1)
_ENDED: Final = frozenset({"cancelled", "expired"})


@dataclass(slots=True)
class FactWatcher:
    """Reads the facts of a case while it is played. `unmet` are the sentences about those that were not met."""

    facts: Sequence[Fact]
    is_complete: bool
    unmet: list[str] = field(default_factory=list)
    _read: set[int] = field(default_factory=set)
    _times: list[datetime | None] = field(default_factory=list)
    _step: int = -1
    _claimed: list[tuple[object, Invoice]] = field(default_factory=list)

    def prepare(self, world: World) -> None:
        """Work out when each fact is to be read."""
        self._times = [_read_at(world, fact) for fact in self.facts]

    def next_look(self, *, after: datetime | None, before: datetime | None) -> datetime | None:
        """Return the next instant at which a fact is to be read between the steps."""
        waiting = [
            at
            for number, (fact, at) in enumerate(zip(self.facts, self._times, strict=True))
            if at is not None
            and number not in self._read
            and self._is_open(fact)
            and (after is None or after < at)
            and (before is None or at < before)
        ]
        return min(waiting, default=None)

    def before_step(self, world: World, number: int) -> None:
        """Read the facts that are to be seen right before a step, and those that waited for its instant."""

        def is_due(fact: Fact, at: datetime | None) -> bool:
            waited = fact.get("after_step") == number - 1 and at is not None and at <= world.now
            return waited or fact.get("before_step") == number

        self._read_all(world, is_due)

    def after_step(self, world: World, number: int) -> None:
        """Read the facts that are to be seen right after a step; one at a later instant waits for that."""
        self._step = number
        self._read_all(world, lambda fact, at: fact.get("after_step") == number and (at is None or at <= world.now))

    def at_rest(self, world: World) -> None:
        """Read the facts of this instant."""
        self._read_all(world, lambda fact, at: at == world.now and self._is_open(fact))

    def finish(self, world: World) -> None:
        """Read what names no instant, then see whether anything was made that no fact tells of."""
        self._read_all(world, lambda _fact, _at: True)
        if self.is_complete:
            self.unmet += [
                f"an invoice of {invoice.total} at {invoice.issued_at} that no fact tells of"
                for account in world.accounts.values()
                for invoice in self._untold(account)
            ]

    def _is_open(self, fact: Fact) -> bool:
        """Whether a fact hangs on no step, or on the one that was done last."""
        return "before_step" not in fact and fact.get("after_step", self._step) == self._step

    def _untold(self, account: Account) -> list[Invoice]:
        """Return the invoices of more than zero that no fact tells of, though facts look at their instants."""
        told = [invoice for _, invoice in self._claimed]
        untold = [
            invoice
            for invoice in account.invoices
            if invoice not in told and invoice.issued_at in self._times and invoice.reason != "imported"
        ]
        return [invoice for invoice in untold if any(line.amount for line in invoice.lines)]

    def _read_all(self, world: World, is_due: Callable[[Fact, datetime | None], bool]) -> None:
        for number, fact in enumerate(self.facts):
            if number not in self._read and is_due(fact, self._times[number]):
                self._read.add(number)
                place = f"fact {number} at {fact.get('at')}"
                self.unmet += [f"{place}: {sentence}" for sentence in self._differences(world, fact)]

    def _differences(self, world: World, fact: Fact) -> list[str]:
        found: list[str] = []
        for key, wanted in fact.items():
            if key in _PLACE:
                continue
            try:
                if key == "invoice":
                    found += self._invoice_differences(world, fact, wanted)
                elif key not in _READERS:
                    found.append(f"{key}: nothing here can read it yet")
                else:
                    got = _READERS[key](world, fact)
                    if not _meets(key, wanted, got):
                        found.append(f"{key}: expected {wanted}, got {got}")
            except Refusal as refusal:
                found.append(f"{key}: {refusal.code}: {refusal.message}")
        return found

    def _invoice_differences(self, world: World, fact: Fact, wanted: Mapping[str, Any]) -> list[str]:
        """Compare with the invoice that is meant: the selected one, else the first that is still free.

        Several facts without a selector are about different invoices; one that meets the fact is preferred.
        """
        account = world.account(wanted["customer"])
        moment = (fact.get("at"), fact.get("after_step"), fact.get("before_step"))
        if "which" in wanted:
            candidates = select_invoices(world, account, wanted["which"])
        else:
            taken = [invoice for at, invoice in self._claimed if at == moment]
            candidates = [entry for entry in _made_at(world, account, fact, wanted) if entry not in taken]
        best: tuple[Invoice, list[str]] | None = None
        for invoice in candidates:
            differences = invoice_differences(world, invoice, wanted, is_complete=self.is_complete)
            if best is None or not differences:
                best = invoice, differences
            if not differences:
                break
        if best is None:
            return ["invoice: expected one, but there is none"]
        self._claimed.append((moment, best[0]))
        return best[1]


def _made_at(world: World, account: Account, fact: Fact, wanted: Mapping[str, Any]) -> list[Invoice]:
    """Return the invoices that a customer got at a fact's instant, or on its day."""
    made = account.previews if wanted.get("preview") else account.invoices
    at = fact.get("at")
    if at is None:
        return made
    if "T" in at:
        return [invoice for invoice in made if invoice.issued_at == parse_instant(at)]
    zone = world.zone(account.id)
    return [invoice for invoice in made if local_date(invoice.issued_at, zone).isoformat() == at]


def _read_at(world: World, fact: Fact) -> datetime | None:
    """Return when a fact is read: at its instant, or at the end of its day."""
    invoice = fact.get("invoice", {})
    at = invoice.get("as_of") or fact.get("at")
    if at is None or "T" in at:
        return None if at is None else parse_instant(at)
    customer = invoice.get("customer") or fact.get("customer") or next(iter(world.accounts))
    zone = world.zone(customer)
    return later_by_days(midnight_of(date.fromisoformat(at), zone), 1, zone) - _INSTANT


def _meets(key: str, wanted: Any, got: Any) -> bool:
    if key == "dunning_stage":
        return wanted in got
    if key == "subscription_state" and wanted == "ended":
        return got in _ENDED
    return equals(key, wanted, got)


def _account(world: World, fact: Fact) -> Account:
    if "customer" not in fact and "subscription" in fact:
        return world.account(world.subscription(fact["subscription"]).customer)
    return world.account(fact.get("customer"))


def _day(world: World, fact: Fact, instant: datetime | None) -> date | None:
    return None if instant is None else local_date(instant, world.subscription(fact.get("subscription")).zone)


def _pending_plan(world: World, fact: Fact) -> str | None:
    later = [entry.plan.id for entry in world.subscription(fact.get("subscription")).plans if entry.at > world.now]
    return later[0] if later else None


def _usage_units(world: World, fact: Fact) -> Any:
    lines = [line for line in _account(world, fact).invoices[-1].lines if line.kind == "usage"]
    return sum(line.units or 0 for line in lines)


_READERS: Final[Mapping[str, Callable[[World, Fact], Any]]] = {
    "invoice_issued": lambda world, fact: bool(_made_at(world, _account(world, fact), fact, {})),
    "invoices": lambda world, fact: [
        {"total": invoice.total} for invoice in _made_at(world, _account(world, fact), fact, {})
    ],
    "invoice_count": lambda world, fact: len(_account(world, fact).invoices),
    "account_balance": lambda world, fact: _account(world, fact).balance,
    "customer_balance": lambda world, fact: _account(world, fact).credit,
    "anchor_day": lambda world, fact: _account(world, fact).anchor_day,
    "dunning_stage": lambda world, fact: dunning.stages_at(_account(world, fact), world.now),
    "payment": lambda world, fact: {"amount": latest_payment(_account(world, fact)).amount},
    "payment_count": lambda world, fact: len(_account(world, fact).payments),
    "refunded": lambda world, fact: refunded_sum(_account(world, fact)),
    "usage_units": _usage_units,
    "credit_note": lambda world, fact: note_facts.newest_note(_account(world, fact), fact["credit_note"]),
    "credit_notes": lambda world, fact: note_facts.all_notes(_account(world, fact), fact["credit_notes"]),
    "wallet_balance": lambda world, fact: prepaid.figures(world, _account(world, fact))["balance"],
    "wallet_credits": lambda world, fact: sum(wallet.credits for wallet in world.wallets_of(_account(world, fact).id)),
    "wallet_transaction": lambda world, fact: prepaid.latest_move(world, _account(world, fact)),
    "wallet": lambda world, fact: prepaid.figures(world, _account(world, fact)),
    "credit_note_balance": lambda world, fact: notes.balance(_account(world, fact)),
    "creditable": lambda world, fact: note_facts.creditable(_account(world, fact)),
    "coupon_active": lambda world, fact: note_facts.coupon_active(world, _account(world, fact)),
    "current_usage": lambda world, fact: note_facts.current_usage(world, world.subscription(fact.get("subscription"))),
    "lifetime_usage": lambda world, fact: {
        "current": lifetime_usage(world, world.subscription(fact.get("subscription")))
    },
    "fees": lambda world, fact: note_facts.billed_usage(world, _account(world, fact), fact["fees"]),
    "threshold_step": lambda world, fact: note_facts.threshold_step(world, fact["threshold_step"]),
    "subscription_state": lambda world, fact: state_of(world, world.subscription(fact.get("subscription"))),
    "plan": lambda world, fact: world.subscription(fact.get("subscription")).plan_at(world.now).plan.id,
    "pending_plan": _pending_plan,
    "access_end": lambda world, fact: _day(world, fact, world.subscription(fact.get("subscription")).access_end),
    "billing_end": lambda world, fact: _day(world, fact, world.subscription(fact.get("subscription")).billing_end),
    "charged_through": lambda world, fact: _day(
        world, fact, charged_through(world, world.subscription(fact.get("subscription")))
    ),
}
"""How each fact is read. A fact that is not here cannot be read yet."""
