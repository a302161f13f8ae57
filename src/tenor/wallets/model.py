"""Grants and draws: the values that the rules of prepaid credits take and give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal, NamedTuple
from uuid import UUID

from tenor.kernel.calendar import Grid, Interval
from tenor.kernel.ids import CustomerId, GrantId, SubscriptionId, WalletId, WalletUseId
from tenor.kernel.period import Period

ZERO: Final = Decimal(0)

Category = Literal["paid", "promotional"]
Source = Literal["purchase", "promotion", "plan", "refund"]
PaidFrom = Literal["cash", "invoice", "customer_credit"]
"""Where the cost of a grant came from: money that was received for it, a document that billed it ahead (as deferred
revenue), or what was owed back to the customer."""

PRIORITY_LAST: Final = 255
"""The priority of a grant that names none: it burns after all that do."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One deposit of credit, in units of its wallet.

    It can be drawn from `effective_at` until it expires or is voided. `features` limits it to charges of these
    features; empty: any. `recurrence`: at each boundary of the grid it is its full amount again.
    At a reset of usage it keeps what is left, but at least `rollover_min` and at most `rollover_max`.
    """

    id: str
    amount: Decimal
    effective_at: datetime
    expires_at: datetime | None = None
    priority: int = PRIORITY_LAST
    created_at: datetime | None = None
    category: Category = "paid"
    features: frozenset[str] = frozenset()
    recurrence: Grid | None = None
    rollover_min: Decimal = ZERO
    rollover_max: Decimal = ZERO
    voided_at: datetime | None = None

    @property
    def ends_at(self) -> datetime | None:
        """When nothing can be drawn from it any more; None: never."""
        return min((at for at in (self.expires_at, self.voided_at) if at is not None), default=None)

    def is_active(self, at: datetime) -> bool:
        """Whether it can be drawn from at an instant: its start is inside, its end is not."""
        return self.effective_at <= at and (self.ends_at is None or at < self.ends_at)

    def pays(self, feature: str | None) -> bool:
        """Whether it may pay for a feature; None: for a charge that belongs to none."""
        return not self.features or feature in self.features


class Draw(NamedTuple):
    """What one use took of one grant; positive."""

    grant_id: str
    amount: Decimal


class Reset(NamedTuple):
    """The end of a usage period: grants roll over; what no grant covered lapses, or is carried on."""

    at: datetime
    preserves_overage: bool = False


UsageOf = Callable[[Period], Decimal]
"""Returns the units that were used inside a span."""


EntryKind = Literal[
    "granted", "held", "released", "drawn", "advanced", "repaid", "restored", "forgone", "voided", "lapsed"
]
"""What an entry does: a deposit; credit set aside for a use, and given free again; a draw for good; a use that no grant
covered; such a use paid by a later grant; a draw given back to its grant; an advance that is not owed any more; the
rest of a grant taken out; what was left when it expired."""

RESERVES: Final[Mapping[EntryKind, int]] = MappingProxyType({"held": 1, "released": -1})
"""The sign with which an entry counts in what of its grant is set aside."""

SIGNS: Final[Mapping[EntryKind, int]] = MappingProxyType(
    {
        "granted": 1,
        "released": 1,
        "restored": 1,
        "held": -1,
        "drawn": -1,
        "repaid": -1,
        "voided": -1,
        "lapsed": -1,
        "advanced": 0,
        "forgone": 0,
    }
)
"""The sign with which an entry counts in what its grant has left."""


@dataclass(frozen=True, slots=True)
class WalletTerms:
    """What a wallet is opened with; it never changes.

    `unit` is what is counted in it: a currency or a name such as 'tokens'. When it pays for something, a unit is worth
    `rate` of `currency` (major units; 1 for a wallet of the currency itself). `overdraws`: uses go on when nothing is
    left; `repays_advances`: a later grant then pays for them first. `burn_order` and `eligibility` are keys of the
    policy. `pays`: of documents only lines of usage, or all.
    """

    code: str
    unit: str
    currency: str
    rate: Decimal
    overdraws: bool
    repays_advances: bool
    burn_order: tuple[str, ...]
    eligibility: Literal["effective_at_period_end", "effective_before_service_end"]
    pays: Literal["usage", "everything"] = "usage"


class StoredWallet(NamedTuple):
    """A wallet as it is kept; `entry_count` is the number of its last entry."""

    id: WalletId
    customer_id: CustomerId
    terms: WalletTerms
    entry_count: int


class HeldGrant(NamedTuple):
    """A grant as it is kept, what it has left, and what was paid for all of it, in minor units.

    `reserved` is set aside for uses that are not settled; it is not part of `remaining`.
    """

    id: GrantId
    wallet_id: WalletId
    grant: Grant
    remaining: Decimal
    cost_minor: int
    reserved: Decimal = ZERO
    paid_from: PaidFrom = "cash"


class NewGrant(NamedTuple):
    """A grant that is to be made. `expires_at` None: never; `priority` 0 burns first, 255 last.

    `cost_minor` is what was paid for it, net of tax, and `paid_from` what that was paid from.
    """

    amount: Decimal
    source: Source
    category: Category
    cost_minor: int = 0
    priority: int = PRIORITY_LAST
    features: frozenset[str] = frozenset()
    effective_at: datetime | None = None
    expires_at: datetime | None = None
    paid_from: PaidFrom = "cash"


UseStatus = Literal["held", "used", "released"]


class StoredUse(NamedTuple):
    """A use as it is kept: `asked` was drawn or held, `used` counts in the end, `uncovered` of it by no grant yet.

    `paid_minor` is what it pays of a document, in minor units; None: it pays none.
    """

    id: WalletUseId
    wallet_id: WalletId
    key: str
    feature: str | None
    status: UseStatus
    asked: Decimal
    used: Decimal
    uncovered: Decimal
    made_at: datetime
    expires_at: datetime | None
    paid_minor: int | None = None


class Movement(NamedTuple):
    """An entry that is to be written. `value_minor` is the part of the grant's cost that moves with it."""

    wallet_id: WalletId
    kind: EntryKind
    amount: Decimal
    grant_id: GrantId | None
    use_id: WalletUseId | None
    value_minor: int
    at: datetime


class WalletEntry(NamedTuple):
    """An entry as it is kept, numbered within its wallet."""

    entry_no: int
    movement: Movement


class RecurringGrant(NamedTuple):
    """What is granted `every` interval of a time zone, counted from `anchor`. `next_at` None: no more are made.

    A grant lasts until the next one; of what is left then, `rollover_max` at most is kept for one interval more, and
    made up to `rollover_min` at least. Or it `lasts` for a time of its own, and nothing rolls over. `subscription_id`:
    whose plan promises it; None: it was promised to the customer. `issued` was granted of the interval that ends at
    `issued_until`.
    """

    id: UUID
    wallet_id: WalletId
    code: str
    amount: Decimal
    every: Interval
    anchor: datetime
    priority: int
    category: Category
    features: frozenset[str]
    rollover_max: Decimal
    next_at: datetime | None
    rollover_min: Decimal = ZERO
    lasts: Interval | None = None
    timezone: str = "UTC"
    subscription_id: SubscriptionId | None = None
    issued: Decimal = ZERO
    issued_until: datetime | None = None

    def promises_what(self, other: "RecurringGrant") -> bool:
        """Whether two promise the same, however far each has been kept."""
        return self._standing_as(other) == other

    def _standing_as(self, other: "RecurringGrant") -> "RecurringGrant":
        return self._replace(id=other.id, next_at=other.next_at, issued=other.issued, issued_until=other.issued_until)
