"""Spending: a wallet as the entries of its grants, and every figure of it as of any instant.

Entries are appended, never changed; a balance is the sum of its entries. Each names the grant that it moves, so that
what a use drew can be given back exactly, and what lapses at an expiry follows from what is left there, whenever it
was given back. Worked tables: docs/algorithms/credits.md.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from tenor.kernel.errors import Malformed, NotFound, Refusal
from tenor.kernel.period import LATEST
from tenor.wallets.model import SIGNS, ZERO, Draw, EntryKind, Grant
from tenor.wallets.rules.burning import draw, in_burn_order

Settlement = Literal["credit_only", "credit_then_invoice"]

_USES: Mapping[EntryKind, int] = {"drawn": 1, "advanced": 1, "restored": -1, "forgone": -1}
"""The sign with which an entry counts in what was used."""
_ADVANCES: Mapping[EntryKind, int] = {"advanced": 1, "repaid": -1, "forgone": -1}
"""The sign with which an entry counts in what was used ahead of any grant."""


class NothingToRestore(Refusal):
    """More is to be given back than was used."""

    code = "nothing_to_restore"


class UnknownGrant(NotFound):
    """A grant that the wallet does not have."""

    code = "unknown_grant"


class NotAnAmountOfCredit(Malformed):
    """An amount of credit that is negative, or a grant or use of nothing."""

    code = "not_an_amount_of_credit"


class Use(NamedTuple):
    """One use of a wallet: its number in order, when and for which feature, and what it is accounted under."""

    number: int
    at: datetime
    feature: str | None
    label: str | None


class Entry(NamedTuple):
    """One movement; `amount` is positive. `grant_id` None: no grant; `use` None: not of a use."""

    at: datetime
    kind: EntryKind
    amount: Decimal
    grant_id: str | None = None
    use: Use | None = None


class Taken(NamedTuple):
    """What a use drew, in order, and what no grant covered of it."""

    draws: tuple[Draw, ...]
    uncovered: Decimal


@dataclass(frozen=True, slots=True)
class Wallet:
    """A wallet: its grants and all entries in the order in which they were written."""

    grants: tuple[Grant, ...] = ()
    entries: tuple[Entry, ...] = ()

    def balances(self, at: datetime) -> dict[str, Decimal]:
        """Return what each grant has left at an instant; one that is not in force has nothing."""
        left = self.left(at)
        return {grant.id: left[grant.id] if grant.is_active(at) else ZERO for grant in self.grants}

    def balance(self, at: datetime) -> Decimal:
        """Return what all grants together have left at an instant."""
        return sum(self.balances(at).values(), ZERO)

    def lapsed(self, at: datetime) -> Decimal:
        """Return what has lapsed by an instant because it was not used before its grant expired."""
        left = self.left(at)
        expired = [grant for grant in self.grants if grant.expires_at is not None and grant.expires_at <= at]
        return sum((left[grant.id] for grant in expired), ZERO)

    def used(self, at: datetime, *, label: str | None = None) -> Decimal:
        """Return what was used by an instant, whether a grant covered it or not; with `label` under this one only."""
        entries = [entry for entry in self.entries if entry.use and label in {None, entry.use.label}]
        return _sum(entries, at, _USES)

    def advanced(self, at: datetime) -> Decimal:
        """Return what was used by an instant and no grant has covered."""
        return _sum(self.entries, at, _ADVANCES)

    def funded(self, at: datetime) -> Decimal:
        """Return what was ever deposited."""
        return _sum(self.entries, at, {"granted": 1})

    def voided(self, at: datetime) -> Decimal:
        """Return what was taken out by voids."""
        return _sum(self.entries, at, {"voided": 1})

    def grant(self, grant_id: str) -> Grant:
        """Return a grant by its id.

        Raises:
            UnknownGrant: there is none.
        """
        for grant in self.grants:
            if grant.id == grant_id:
                return grant
        raise UnknownGrant(f"the wallet has no grant {grant_id!r}", grant=grant_id)

    def left(self, at: datetime) -> dict[str, Decimal]:
        """Return the sum of each grant's entries up to an instant, whether it is in force or not."""
        left = {grant.id: ZERO for grant in self.grants}
        for entry in self.entries:
            if entry.grant_id is not None and entry.at <= at:
                left[entry.grant_id] += SIGNS[entry.kind] * entry.amount
        return left

    def drawable(self, at: datetime) -> dict[str, Decimal]:
        """Return what may be drawn from each grant at an instant: never what a later entry has taken already."""
        now, in_the_end = self.balances(at), self.left(LATEST)
        return {grant_id: min(amount, in_the_end[grant_id]) for grant_id, amount in now.items()}


def deposit(wallet: Wallet, grant: Grant, *, at: datetime, repays: bool) -> Wallet:
    """Return the wallet with a grant made at an instant; `repays`: it first pays what was used uncovered, oldest first.

    What it repays is taken at once, even where it comes into force later.

    Raises:
        NotAnAmountOfCredit: the amount is not positive.
    """
    if grant.amount <= ZERO:
        raise NotAnAmountOfCredit(f"a grant of {grant.amount} is none")
    booked_at = min(at, grant.effective_at)
    wallet = Wallet((*wallet.grants, grant), (*wallet.entries, Entry(booked_at, "granted", grant.amount, grant.id)))
    if not repays:
        return wallet
    left, paid = grant.amount, []
    for part in _parts(wallet):
        amount = min(left, part.amount)
        if part.grant_id is None and grant.pays(part.use.feature) and amount > ZERO:
            paid.append(Entry(booked_at, "repaid", amount, grant.id, part.use))
            left -= amount
    return _with(wallet, paid)


def use_credit(
    wallet: Wallet,
    amount: Decimal,
    *,
    at: datetime,
    order: Sequence[str],
    settlement: Settlement | None = None,
    feature: str | None = None,
    label: str | None = None,
    candidates: Sequence[Grant] | None = None,
) -> tuple[Wallet, Taken]:
    """Draw `amount` on the grants that may pay for `feature`; return the wallet after it, and what was taken.

    `candidates`: only these grants may pay. What none covers is an advance under `credit_only`, and else left to the
    caller.

    Raises:
        NotAnAmountOfCredit: the amount is negative.
    """
    if amount < ZERO:
        raise NotAnAmountOfCredit(f"{amount} of credit cannot be used")
    paying = [grant for grant in (wallet.grants if candidates is None else candidates) if grant.pays(feature)]
    draws, uncovered = draw(amount, in_burn_order(paying, order), wallet.drawable(at))
    number = 1 + max((entry.use.number for entry in wallet.entries if entry.use), default=0)
    use = Use(number, at, feature, label)
    entries = [Entry(at, "drawn", part.amount, part.grant_id, use) for part in draws]
    if settlement == "credit_only" and uncovered > ZERO:
        entries.append(Entry(at, "advanced", uncovered, None, use))
    return _with(wallet, entries), Taken(tuple(draws), uncovered)


def give_back(wallet: Wallet, amount: Decimal, *, at: datetime, label: str | None = None) -> Wallet:
    """Return the wallet with `amount` of what was used given back: the last use first, its last draw first.

    What later grants repaid of a use was drawn after the rest of it. With a `label` only what was used under it.

    Each part goes back to the grant that it came from, which keeps its expiry: what has expired lapses, and what was
    voided is taken out again.

    Raises:
        NotAnAmountOfCredit: the amount is negative.
        NothingToRestore: less than that was used.
    """
    if amount < ZERO:
        raise NotAnAmountOfCredit(f"{amount} of credit cannot be given back")
    entries = []
    parts = [part for part in _parts(wallet) if label in {None, part.use.label}]
    for part in reversed(parts):
        given = min(amount, part.amount)
        if given <= ZERO:
            break
        kind: EntryKind = "forgone" if part.grant_id is None else "restored"
        entries.append(Entry(at, kind, given, part.grant_id, part.use))
        if part.grant_id is not None and wallet.grant(part.grant_id).voided_at is not None:
            entries.append(Entry(at, "voided", given, part.grant_id))
        amount -= given
    if amount > ZERO:
        raise NothingToRestore(f"{amount} more is to be given back than was used")
    return _with(wallet, entries)


def void(wallet: Wallet, grant_id: str, *, at: datetime) -> Wallet:
    """Return the wallet with the rest of a grant taken out at an instant; what was drawn stays drawn.

    A grant that was voided, or has expired, stays as it is.

    Raises:
        UnknownGrant: the wallet has no such grant.
    """
    grant = wallet.grant(grant_id)
    if grant.voided_at is not None or (grant.expires_at is not None and grant.expires_at <= at):
        return wallet
    rest = wallet.left(LATEST)[grant_id]
    grants = tuple(replace(entry, voided_at=at) if entry.id == grant_id else entry for entry in wallet.grants)
    taken_out = [Entry(at, "voided", rest, grant_id)] if rest > ZERO else []
    return Wallet(grants, (*wallet.entries, *taken_out))


class _Part(NamedTuple):
    """What is still used of one draw, or of one advance (no grant)."""

    use: Use
    grant_id: str | None
    amount: Decimal


def _with(wallet: Wallet, entries: Iterable[Entry]) -> Wallet:
    return replace(wallet, entries=(*wallet.entries, *entries))


def _sum(entries: Iterable[Entry], at: datetime, signs: Mapping[EntryKind, int]) -> Decimal:
    return sum((signs.get(entry.kind, 0) * entry.amount for entry in entries if entry.at <= at), ZERO)


def _parts(wallet: Wallet) -> Iterator[_Part]:
    """Yield what is still used, in the order of use: the draws of a use, its rest, what later grants repaid of that."""
    left: dict[tuple[Use, str | None], Decimal] = {}
    for entry in wallet.entries:
        if entry.use is None:
            continue
        if entry.kind in {"drawn", "advanced", "repaid"}:
            key = (entry.use, entry.grant_id)
            left[key] = left.get(key, ZERO) + entry.amount
        else:
            left[entry.use, entry.grant_id] -= entry.amount
        if entry.kind == "repaid":
            left[entry.use, None] -= entry.amount
    ordered = sorted(left.items(), key=lambda item: item[0][0].number)
    for (use, grant_id), amount in ordered:
        if amount > ZERO:
            yield _Part(use, grant_id, amount)
