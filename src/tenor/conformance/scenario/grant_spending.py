"""A wallet of money that is drawn when something is to be paid, as the steps of a case make it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tenor.conformance.scenario.grant_reading import GRANT_WORDS, Setting, instant_of, read_grants
from tenor.conformance.scenario.reading import Step
from tenor.conformance.scenario.strict import NotRunnable
from tenor.kernel.period import Period, parse_instant
from tenor.kernel.quantity import parse_decimal
from tenor.wallets.model import ZERO, Grant
from tenor.wallets.rules.eligibility import GrantTerms, in_force_for
from tenor.wallets.rules.spending import Settlement, Taken, Wallet, deposit, give_back, use_credit, void

_VERBS: Final = {
    "grant_credits": GRANT_WORDS,
    "void_grant": "grant mode",
    "collect_credits": "amount feature settlement spend dry_run booked",
    "correct_usage": "restore_amount mode",
    "usage": "units event_at count unit_amount",
    "finalize_period": "from to settlement",
}
"""The steps that a wallet of money takes, with their arguments."""


class _Usage(NamedTuple):
    at: datetime
    amount: Decimal


@dataclass(slots=True)
class SpendingBook:
    """What is known of a wallet of money: the wallet itself, usage that is to be paid, and what was taken last."""

    setting: Setting
    wallet: Wallet = field(default_factory=Wallet)
    usage: list[_Usage] = field(default_factory=list)
    taken: Taken = field(default_factory=lambda: Taken((), ZERO))
    settlement: Settlement | None = None

    @property
    def grants(self) -> tuple[Grant, ...]:
        """The grants that were made."""
        return self.wallet.grants

    def balances(self, at: datetime) -> Mapping[str, Decimal]:
        """Return what each grant has left at an instant."""
        return self.wallet.balances(at)

    def can_do(self, verb: str) -> str | None:
        """Return the arguments that a verb takes; None for a verb that is not built."""
        return _VERBS.get(verb)

    def do(self, step: Step) -> None:
        """Do one step."""
        body, at = step.body, instant_of(step)
        match step.verb:
            case "grant_credits":
                for grant in read_grants(self.setting, step):
                    self.wallet = deposit(
                        self.wallet, grant, at=at, repays=self.setting.policy.credits.advance_backfill
                    )
            case "void_grant":
                self.wallet = void(self.wallet, body["grant"], at=self.setting.down(at))
            case "collect_credits":
                self._collect(
                    parse_decimal(body["amount"], name="amount"),
                    at,
                    settlement=body.get("settlement"),
                    feature=body.get("feature"),
                    label=body.get("spend"),
                    is_kept=not body.get("dry_run", False),
                )
            case "correct_usage":
                self.wallet = give_back(self.wallet, self._rounded(body["restore_amount"]), at=at)
            case "usage":
                used_at = parse_instant(body["event_at"]) if "event_at" in body else at
                units = parse_decimal(body["units"], name="units") * body.get("count", 1)
                price = parse_decimal(body.get("unit_amount", "1"), name="unit_amount")
                self.usage.append(_Usage(self.setting.down(used_at), units * price))
            case _:
                self._finalize(Period(parse_instant(body["from"]), parse_instant(body["to"])), at, body)

    def read(self, key: str, fact: Mapping[str, Any], at: datetime) -> Any:
        """Return a figure that only a wallet of money has, as of an instant."""
        if key not in _READERS:
            raise NotRunnable(f"nothing here can read {key} yet")
        return _READERS[key](self, fact, at)

    def collectable(self, requested: Decimal, at: datetime) -> Decimal:
        """Return how much of an amount could be drawn at an instant by a charge of no feature."""
        return requested - self._take(requested, at)[1].uncovered

    def _take(self, amount: Decimal, at: datetime, **how: Any) -> tuple[Wallet, Taken]:
        return use_credit(self.wallet, amount, at=at, order=self.setting.policy.credits.burn_order, **how)

    def _rounded(self, amount: object) -> Decimal:
        return self.setting.money.apply(parse_decimal(amount, name="amount"))

    def _collect(self, amount: Decimal, at: datetime, *, is_kept: bool, **how: Any) -> None:
        wallet, self.taken = self._take(self._rounded(amount), at, **how)
        self.settlement = how.get("settlement")
        if is_kept:
            self.wallet = wallet

    def _finalize(self, period: Period, at: datetime, body: Mapping[str, Any]) -> None:
        """Take what the usage of a period costs and was not taken for it before; what it costs less is given back."""
        label = f"{period.start.isoformat()}/{period.end.isoformat()}"
        owed = self._rounded(sum((entry.amount for entry in self.usage if period.holds(entry.at)), ZERO))
        news = owed - self.wallet.used(at, label=label)
        if news < ZERO:
            self.wallet = give_back(self.wallet, -news, at=at)
            return
        rule = self.setting.policy.credits.credit_eligibility
        candidates = [
            grant
            for grant in self.wallet.grants
            if in_force_for(GrantTerms(None, grant.effective_at, grant.expires_at), period.end, rule)
        ]
        self._collect(news, at, is_kept=True, settlement=body.get("settlement"), label=label, candidates=candidates)


def _collectable(book: SpendingBook, fact: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    requested = parse_decimal(fact["collectable"]["requested"], name="requested")
    return {"requested": requested, "amount": book.collectable(requested, at)}


_READERS: Final[Mapping[str, Callable[[SpendingBook, Mapping[str, Any], datetime], Any]]] = {
    "collected": lambda book, _fact, _at: [
        {"grant": part.grant_id, "amount": part.amount} for part in book.taken.draws
    ],
    "collectable": _collectable,
    "uncovered": lambda book, _fact, _at: book.taken.uncovered,
    "to_invoice": lambda book, _fact, _at: book.taken.uncovered if book.settlement == "credit_then_invoice" else ZERO,
    "accrued": lambda book, _fact, at: book.wallet.used(at),
    "accrued_by_spend": lambda book, fact, at: {
        label: book.wallet.used(at, label=label) for label in fact["accrued_by_spend"]
    },
    "accrued_attributed": lambda book, _fact, at: book.wallet.used(at) - book.wallet.advanced(at),
    "accrued_unattributed": lambda book, _fact, at: book.wallet.advanced(at),
    "receivable": lambda book, _fact, at: -book.wallet.advanced(at),
    "breakage": lambda book, _fact, at: book.wallet.lapsed(at),
    "returned": lambda book, _fact, at: book.wallet.voided(at),
    "transactions": lambda book, _fact, at: {
        "funded": book.wallet.funded(at),
        "voided": -book.wallet.voided(at),
    },
}
"""How each fact about a wallet of money is read."""
