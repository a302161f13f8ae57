"""Rows of `adjustments` and `waivers`: what people decided beside the plans, and what is given up of what they ask."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal, NamedTuple

from psycopg.errors import UniqueViolation

from tenor.invoicing.model import AdjustmentKey, Draft, Key, Line
from tenor.kernel.errors import Conflict
from tenor.kernel.ids import AdjustmentId, ChargeId, CustomerId, InvoiceId, ItemId, SubscriptionId, new_id
from tenor.kernel.period import Period
from tenor.platform.unit_of_work import UnitOfWork


class AdjustmentTaken(Conflict):
    """An adjustment that another document has just taken: begin the transaction again."""

    code = "adjustment_taken"


Invoicing = Literal["now", "next_invoice"]
"""When an adjustment is invoiced: at once on a document of its own, or on the next one of the subscription or customer.
"""


class AdjustmentKind(StrEnum):
    """What a person decided."""

    ONE_OFF = "one_off"
    MANUAL_CREDIT = "manual_credit"
    SLA_CREDIT = "sla_credit"  # for a broken promise, which `clause` names
    CREDIT_PURCHASE = "credit_purchase"  # prepaid credit that was sold; it is earned when it is used


class Adjustment(NamedTuple):
    """What a customer owes (positive) or gets (negative) because a person decided so.

    `amount_minor` counts as the prices of the document that it comes to stand on: with tax inside, or without.
    """

    id: AdjustmentId
    kind: AdjustmentKind
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    currency: str
    amount_minor: int
    description: str
    tax_category: str
    period: Period
    reason: str
    clause: str
    invoicing: Invoicing
    created_at: datetime
    actor: str

    def line(self, due_at: datetime) -> Line:
        """Return the line that bills it on a document for the instant `due_at`."""
        trace = {"adjustment": self.kind.value, "reason": self.reason}
        if self.clause:
            trace["clause"] = self.clause
        return Line(
            key=AdjustmentKey(self.id, self.period),
            amount_minor=self.amount_minor,
            due_at=due_at,
            is_deferred=self.kind is AdjustmentKind.CREDIT_PURCHASE,
            description=self.description,
            trace=trace,
            subscription_id=self.subscription_id,
            tax_category=self.tax_category,
        )


class Waiver(NamedTuple):
    """A part of what was billed for a key that is given up for good, in minor units with the sign of what was billed.

    It is negative where a cap had given something back.
    """

    key: Key
    amount_minor: int


_TYPES: Final[Mapping[str, str]] = {
    "id": "uuid",
    "kind": "text",
    "customer_id": "uuid",
    "subscription_id": "uuid",
    "currency": "text",
    "amount_minor": "bigint",
    "description": "text",
    "tax_category": "text",
    "period_start": "timestamptz",
    "period_end": "timestamptz",
    "reason": "text",
    "clause": "text",
    "invoicing": "text",
    "created_at": "timestamptz",
    "actor": "text",
}
_COLUMNS: Final = tuple(_TYPES)
_NAMES: Final = ", ".join(_COLUMNS)


def insert_adjustments(uow: UnitOfWork, adjustments: Sequence[Adjustment]) -> None:
    """Write adjustments; they wait for `pending_adjustments` to find them unless they are claimed."""
    columns: list[list[Any]] = [[] for _ in _COLUMNS]
    for one in adjustments:
        for column, value in zip(columns, (*one[:8], *one.period, *one[9:]), strict=True):
            column.append(value)
    uow.execute(
        f"insert into adjustments (tenant_id, {_NAMES})"
        f" select %s, * from unnest({', '.join(f'%s::{kind}[]' for kind in _TYPES.values())})",
        [uow.tenant_id, *columns],
    )


def adjustments_by_id(uow: UnitOfWork, ids: Collection[AdjustmentId]) -> list[Adjustment]:
    """Return the adjustments of these ids, oldest first."""
    rows = uow.fetch_all(f"select {_NAMES} from adjustments where id = any(%s) order by created_at, id", [list(ids)])
    return [_adjustment(row) for row in rows]


def pending_adjustments(uow: UnitOfWork, customer_ids: Collection[CustomerId]) -> Mapping[CustomerId, list[Adjustment]]:
    """Return what waits for the next document of each of these customers, oldest first; who has nothing is left out.

    One statement. Whoever takes them writes `adjustment_claim_rows` in the same transaction: the database refuses
    a second claim.
    """
    rows = uow.fetch_all(
        f"""
        select {_NAMES} from adjustments a
        where customer_id = any(%s) and invoicing = 'next_invoice'
          and not exists (select from adjustment_claims c where c.adjustment_id = a.id)
        order by created_at, id
        """,
        [list(customer_ids)],
    )
    found: dict[CustomerId, list[Adjustment]] = {}
    for row in rows:
        adjustment = _adjustment(row)
        found.setdefault(adjustment.customer_id, []).append(adjustment)
    return found


def adjustment_claim_rows(drafts: Iterable[Draft]) -> list[tuple[AdjustmentId, InvoiceId]]:
    """Return the claims of the adjustments that documents bill: which adjustment, on which document.

    A credit note that gives back one invoice claims nothing: the invoice has claimed it.
    """
    return [
        (entry.line.key.adjustment_id, draft.id)
        for draft in drafts
        if draft.credits_invoice_id is None
        for entry in draft.lines
        if isinstance(entry.line.key, AdjustmentKey)
    ]


def claim_adjustments(uow: UnitOfWork, drafts: Iterable[Draft]) -> None:
    """Write the claims of the adjustments that these documents bill.

    Raises:
        AdjustmentTaken: another document has claimed one of them in between; this transaction is lost.
    """
    rows = adjustment_claim_rows(drafts)
    if not rows:
        return
    try:
        uow.execute(
            "insert into adjustment_claims (tenant_id, adjustment_id, invoice_id)"
            " select %s, * from unnest(%s::uuid[], %s::uuid[])",
            [uow.tenant_id, *(list(column) for column in zip(*rows, strict=True))],
        )
    except UniqueViolation:
        raise AdjustmentTaken("an adjustment that waited for this document stands on another one by now") from None


def waivers_of(uow: UnitOfWork, item_ids: Collection[ItemId]) -> Mapping[Key, int]:
    """Return how much is waived of each key of these items, in minor units; one statement.

    What is owed of a key is what its rating gives less this, as far as 0: a credit out of goodwill is not asked for
    again by the next settlement.
    """
    rows = uow.fetch_all(
        """
        select item_id, charge_id, dimension, period_start, period_end, sum(amount_minor)::bigint
        from waivers where item_id = any(%s)
        group by item_id, charge_id, dimension, period_start, period_end
        """,
        [list(item_ids)],
    )
    return {
        Key(ItemId(item_id), ChargeId(charge_id), dimension, Period(start, end)): amount_minor
        for item_id, charge_id, dimension, start, end, amount_minor in rows
    }


def insert_waivers(
    uow: UnitOfWork, waivers: Sequence[Waiver], *, credit_note_id: InvoiceId, reason: str, now: datetime
) -> None:
    """Write what a credit note gives up for good."""
    columns = list(
        zip(*((new_id(now), *key[:3], *key.period, amount_minor) for key, amount_minor in waivers), strict=True)
    )
    if columns:
        uow.execute(
            """
            insert into waivers (tenant_id, credit_note_id, reason, created_at, id, item_id, charge_id, dimension,
                                 period_start, period_end, amount_minor)
            select %s, %s, %s, %s, * from unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[],
                                                 %s::timestamptz[], %s::bigint[])
            """,
            [uow.tenant_id, credit_note_id, reason, now, *map(list, columns)],
        )


def _adjustment(row: tuple[Any, ...]) -> Adjustment:
    values = dict(zip(_COLUMNS, row, strict=True))
    period = Period(values.pop("period_start"), values.pop("period_end"))
    return Adjustment(**{**values, "kind": AdjustmentKind(values["kind"]), "period": period})
