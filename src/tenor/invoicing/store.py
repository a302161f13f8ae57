"""Read and write documents, lines and claims: explicit SQL, always for many documents at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from tenor.invoicing.model import Billed, Draft, Key
from tenor.invoicing.rules.documents import document_digest
from tenor.kernel.ids import ChargeId, ItemId
from tenor.kernel.period import Period
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import UnitOfWork

INVOICE_COLUMNS: Final = (
    ("id", "uuid"),
    ("kind", "text"),
    ("series", "text"),
    ("number", "bigint"),
    ("customer_id", "uuid"),
    ("subscription_id", "uuid"),
    ("run_id", "uuid"),
    ("currency", "text"),
    ("tax_mode", "text"),
    ("tax_percent", "numeric"),
    ("issued_at", "timestamptz"),
    ("billed_for", "timestamptz"),
    ("net_minor", "bigint"),
    ("tax_minor", "bigint"),
    ("total_minor", "bigint"),
    ("credit_applied_minor", "bigint"),
    ("due_minor", "bigint"),
    ("line_count", "bigint"),
    ("digest", "bytea"),
)

LINE_COLUMNS: Final = (
    ("invoice_id", "uuid"),
    ("line_no", "bigint"),
    ("issued_at", "timestamptz"),
    ("item_id", "uuid"),
    ("charge_id", "uuid"),
    ("dimension", "text"),
    ("period_start", "timestamptz"),
    ("period_end", "timestamptz"),
    ("description", "text"),
    ("amount_minor", "bigint"),
    ("tax_minor", "bigint"),
    ("is_deferred", "boolean"),
    ("trace", "jsonb"),
)

CLAIM_COLUMNS: Final = (
    ("item_id", "uuid"),
    ("charge_id", "uuid"),
    ("period_start", "timestamptz"),
    ("period_end", "timestamptz"),
    ("settlement_no", "bigint"),
    ("previous_no", "bigint"),
    ("follows", "timestamptz"),
    ("amount_minor", "bigint"),
    ("invoice_id", "uuid"),
)

DIGEST_HEAD: Final = (
    "customer_id",
    "subscription_id",
    "currency",
    "tax_mode",
    "tax_percent",
    "issued_at",
    "billed_for",
    "net_minor",
    "tax_minor",
    "credit_applied_minor",
)
"""What a document's digest covers besides its kind, number and lines, in this order."""


def line_rows(draft: Draft) -> list[tuple[Any, ...]]:
    """Return the rows of `LINE_COLUMNS` of a document."""
    return [
        (
            draft.id,
            number,
            draft.issued_at,
            entry.line.key.item_id,
            entry.line.key.charge_id,
            entry.line.key.dimension,
            entry.line.key.period.start,
            entry.line.key.period.end,
            entry.line.description,
            entry.line.amount_minor,
            entry.tax_minor,
            entry.line.is_deferred,
            entry.line.trace,
        )
        for number, entry in enumerate(draft.lines, start=1)
    ]


def invoice_row(draft: Draft, series: str, number: int) -> tuple[Any, ...]:
    """Return the row of `INVOICE_COLUMNS` of a document that takes `number`, its digest worked out."""
    head = (
        draft.customer_id,
        draft.subscription_id,
        draft.currency,
        draft.tax_mode.value,
        plain(draft.tax_percent),
        draft.issued_at,
        draft.billed_for,
        draft.net_minor,
        draft.tax_minor,
        draft.credit_applied_minor,
    )
    digest = document_digest(
        kind=draft.kind.value, series=series, number=number, head=head, lines=(row[1:] for row in line_rows(draft))
    )
    return (
        draft.id,
        draft.kind.value,
        series,
        number,
        draft.customer_id,
        draft.subscription_id,
        draft.run_id,
        draft.currency,
        draft.tax_mode.value,
        draft.tax_percent,
        draft.issued_at,
        draft.billed_for,
        draft.net_minor,
        draft.tax_minor,
        draft.total_minor,
        draft.credit_applied_minor,
        draft.due_minor,
        len(draft.lines),
        digest,
    )


def take_numbers(uow: UnitOfWork, counts: Mapping[str, int]) -> dict[str, int]:
    """Take the next `counts[series]` numbers of each series; return the first one of each.

    The series' row stays locked until the transaction ends, so that numbers have no gap: who rolls
    back has taken none.
    """
    wanted = sorted((series, count) for series, count in counts.items() if count)
    rows = uow.fetch_all(
        """
        insert into document_series (tenant_id, series, next_number)
        select %s, series, 1 + count from unnest(%s::text[], %s::bigint[]) as w (series, count)
        on conflict (tenant_id, series) do update
            set next_number = document_series.next_number + excluded.next_number - 1
        returning series, next_number
        """,
        (uow.tenant_id, [series for series, _ in wanted], [count for _, count in wanted]),
    )
    return {series: next_number - counts[series] for series, next_number in rows}


def read_billed(uow: UnitOfWork, since: Mapping[UUID, datetime]) -> dict[UUID, list[Billed]]:
    """Return what documents hold for each item's periods that end after `since[item_id]`.

    Keys without a line (settled at zero) are there too, with the number of their settlements.
    """
    if not since:
        return {}
    rows = uow.fetch_all(
        """
        with looked_at as (
            select * from unnest(%s::uuid[], %s::timestamptz[]) as l (item_id, since)
        ), claimed as (
            select c.item_id, c.charge_id, c.period_start, c.period_end, max(c.settlement_no) as settlements
            from looked_at l join claims c on c.item_id = l.item_id and c.period_end > l.since
            group by c.item_id, c.charge_id, c.period_start, c.period_end
        )
        select c.item_id, c.charge_id, c.period_start, c.period_end, c.settlements,
               b.dimension, coalesce(b.amount_minor, 0)::bigint, b.is_deferred, b.description
        from claimed c
        left join lateral (
            select l.dimension, sum(l.amount_minor) as amount_minor, bool_or(l.is_deferred) as is_deferred,
                   min(l.description) as description
            from invoice_lines l
            where l.item_id = c.item_id and l.charge_id = c.charge_id and l.period_start = c.period_start
            group by l.dimension
        ) b on true
        """,
        (list(since), list(since.values())),
    )
    found: dict[UUID, list[Billed]] = {item_id: [] for item_id in since}
    for item_id, charge_id, start, end, settlements, dimension, amount, is_deferred, description in rows:
        key = Key(ItemId(item_id), ChargeId(charge_id), dimension or "", Period(start, end))
        found[item_id].append(Billed(key, amount, settlements, bool(is_deferred), description or ""))
    return found


def write_drafts(uow: UnitOfWork, drafts: Sequence[Draft], claims: Iterable[tuple[Any, ...]]) -> None:
    """Write the lines and claims of documents that will get their numbers later in this transaction."""
    uow.copy_rows("invoice_lines", LINE_COLUMNS, (row for draft in drafts for row in line_rows(draft)))
    uow.copy_rows("claims", CLAIM_COLUMNS, claims)
