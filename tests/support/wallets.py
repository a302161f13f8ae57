"""A wallet and the words in which its stories are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from tenor.kernel.ids import CustomerId, GrantId, TenantId, WalletId
from tenor.platform.database import Database
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets import (
    Used,
    UseRequest,
    commit_reservation,
    give_back_credits,
    grant_credits,
    open_wallet,
    release_reservation,
    reserve_credits,
    use_credits,
    void_grant,
    wallet_balances,
    wallet_entries,
    wallets_booked_otherwise,
    wallets_that_do_not_add_up,
)
from tenor.wallets.model import NewGrant, WalletTerms

Number = Decimal | int
"""A figure that a story compares with a whole number."""
BURN_ORDER = ("priority", "category", "expiry", "created", "id")


def day(number: int, hour: int = 0) -> datetime:
    """Return a day of January 2026."""
    return datetime(2026, 1, number, hour, tzinfo=UTC)


def terms(code: str = "main", **changes: Any) -> WalletTerms:
    """Return the terms of a wallet of euros that may not be overdrawn, with `changes`."""
    usual: dict[str, Any] = {
        "unit": "EUR",
        "currency": "EUR",
        "rate": Decimal(1),
        "overdraws": False,
        "repays_advances": False,
        "burn_order": BURN_ORDER,
        "eligibility": "effective_at_period_end",
    }
    return WalletTerms(code=code, **(usual | changes))


@dataclass(slots=True)
class Purse:
    """One wallet of a customer. Amounts are written as text; days are numbers of January 2026."""

    database: Database
    tenant_id: TenantId
    customer_id: CustomerId
    wallet_id: WalletId
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    @classmethod
    def open(cls, database: Database, tenant_id: TenantId, customer_id: CustomerId, **changes: Any) -> "Purse":
        """Open a wallet for a customer."""
        with database.transaction(tenant_id) as uow:
            wallet_id = open_wallet(uow, customer_id, terms(**changes), now=day(1), actor="ada", reason="a test")
        return cls(database, tenant_id, customer_id, wallet_id)

    @contextmanager
    def work(self) -> Iterator[UnitOfWork]:
        """Yield a transaction of the tenant."""
        with self.database.transaction(self.tenant_id) as uow:
            yield uow

    def grant(self, amount: str, *, on: int = 1, **more: Any) -> GrantId:
        """Make a grant: promotional and free unless it has a cost."""
        more = {"source": "purchase" if "cost_minor" in more else "promotion", **more}
        new = NewGrant(Decimal(amount), category="paid" if "cost_minor" in more else "promotional", **more)
        with self.work() as uow:
            return grant_credits(uow, self.wallet_id, new, now=day(on), actor="ada", reason="a test").grant_id

    def void(self, grant_id: GrantId, *, on: int) -> None:
        """Void a grant."""
        with self.work() as uow:
            void_grant(uow, grant_id, now=day(on), actor="ada", reason="a test")

    def use(self, amount: str, *, on: int, key: str | None = None, feature: str | None = None) -> Used:
        """Use credit."""
        request = UseRequest(self.wallet_id, Decimal(amount), key or f"use-{next(self._keys)}", feature)
        with self.work() as uow:
            return use_credits(uow, request, now=day(on))

    def reserve(self, amount: str, *, on: int, until: int, key: str | None = None) -> Used:
        """Hold credit."""
        request = UseRequest(self.wallet_id, Decimal(amount), key or f"use-{next(self._keys)}")
        with self.work() as uow:
            return reserve_credits(uow, request, expires_at=day(until), now=day(on))

    def commit(self, held: Used, amount: str, *, on: int) -> Used:
        """Use what is held, or some of it."""
        with self.work() as uow:
            return commit_reservation(uow, held.use.id, Decimal(amount), now=day(on))

    def release(self, held: Used, *, on: int) -> Used:
        """Give free what is held."""
        with self.work() as uow:
            return release_reservation(uow, held.use.id, now=day(on))

    def give_back(self, used: Used, amount: str, *, on: int) -> Used:
        """Give back part of a use."""
        with self.work() as uow:
            return give_back_credits(uow, used.use.id, Decimal(amount), now=day(on), actor="ada", reason="a test")

    def left(self) -> dict[GrantId, Decimal]:
        """Return what each grant has left, whether it is in force or not."""
        with self.work() as uow:
            return dict(uow.fetch_all("select id, remaining from credit_grants where wallet_id = %s", [self.wallet_id]))

    def figures(self, on: int) -> tuple[Number, Number, Number]:
        """Return what is free to use, held, and advanced."""
        with self.work() as uow:
            found = next(
                entry
                for entry in wallet_balances(uow, [self.customer_id], at=day(on))
                if entry.wallet.id == self.wallet_id
            )
        return found.available, found.held, found.advanced

    def kinds(self) -> list[tuple[str, Number, int]]:
        """Return every entry: what it did, its amount and its value in cents."""
        with self.work() as uow:
            return [
                (movement.kind, movement.amount, movement.value_minor)
                for _, movement in wallet_entries(uow, self.wallet_id, limit=1000)
            ]

    def events(self, event_type: str) -> list[dict[str, Any]]:
        """Return the payloads of the events of one type, oldest first."""
        with self.work() as uow:
            rows = uow.fetch_all("select payload from outbox_events where type = %s order by id", [event_type])
        return [payload for (payload,) in rows]

    def adds_up(self) -> bool:
        """Whether every grant has left what its entries say, and the ledger holds what was paid for it."""
        with self.work() as uow:
            return not wallets_that_do_not_add_up(uow) and not wallets_booked_otherwise(uow)

    def books(self) -> dict[str, int]:
        """Return the balances of the accounts that this wallet has moved, debits positive; those at 0 are left out."""
        with self.work() as uow:
            rows = uow.fetch_all(
                """
                select a.code, sum(case a.id when t.debit_account_id then amount_minor else -amount_minor end)::bigint
                from transfers t join accounts a on a.id in (t.debit_account_id, t.credit_account_id)
                where t.source_id = %s group by a.code
                """,
                [self.wallet_id],
            )
        return {code: balance for code, balance in rows if balance}
