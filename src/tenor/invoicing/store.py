"""Read and write documents, lines and claims: explicit SQL, always for many documents at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from tenor.invoicing.model import AdjustmentKey, Billed, Draft, Key, Line, Slot, TaxShare, WalletPayment
from tenor.invoicing.rules.documents import document_digest
from tenor.invoicing.rules.line_taxes import taxes_by_rate
from tenor.kernel.ids import ChargeId, ItemId
from tenor.kernel.period import Period
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes.model import TaxedAmount
from tenor.taxes.rules.giving_back import held

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
    ("due_on", "date"),
    ("po_number", "text"),
    ("credits_invoice_id", "uuid"),
    ("settles", "text"),
    ("tax_note", "text"),
    ("prepaid_minor", "bigint"),
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
    ("subscription_id", "uuid"),
    ("adjustment_id", "uuid"),
    ("taxes", "jsonb"),
    ("tax_category", "text"),
)

WALLET_PAYMENT_COLUMNS: Final = (
    ("invoice_id", "uuid"),
    ("line_no", "bigint"),
    ("wallet_id", "uuid"),
    ("use_id", "uuid"),
    ("unit", "text"),
    ("amount", "numeric"),
    ("paid_minor", "bigint"),
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
    ("metered_through", "timestamptz"),
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

DIGEST_FURTHER: Final = ("due_on", "po_number", "credits_invoice_id", "settles", "tax_note")
"""What the digest covers of a document beyond that, by name, where it is not what it is by default.

So what has been issued before a document could have it keeps the digest that it has.
"""

DIGEST_PAYMENTS: Final = "wallet_payments"
"""The name under which the digest covers what wallets paid, after all of `DIGEST_FURTHER`."""

DIGEST_LINE: Final = tuple(name for name, _ in LINE_COLUMNS[1 : LINE_COLUMNS.index(("subscription_id", "uuid"))])
"""What the digest covers of a line, in this order; what `digest_further` returns comes after it."""

DIGEST_LINE_FURTHER: Final = ("subscription_id", "adjustment_id", "taxes", "tax_category")

_DEFAULTS: Final[Mapping[str, Any]] = {
    "po_number": "",
    "settles": "balance",
    "tax_note": "",
    "tax_category": "standard",
}
_PLAIN_LINE: Final = tuple(map(_DEFAULTS.get, DIGEST_LINE_FURTHER))  # of which the digest covers nothing further


def digest_further(names: Sequence[str], values: Sequence[Any]) -> list[dict[str, Any]]:
    """Return what a digest covers beyond its fixed fields: nothing, or one object of what is not as by default."""
    further = {
        name: value
        for name, value in zip(names, values, strict=True)
        if value is not None and value != _DEFAULTS.get(name)
    }
    return [further] if further else []


def line_rows(draft: Draft) -> list[tuple[Any, ...]]:
    """Return the rows of `LINE_COLUMNS` of a document."""
    return [
        (
            draft.id,
            number,
            draft.issued_at,
            *_what_for(entry.line),
            entry.line.description,
            entry.line.amount_minor,
            entry.tax_minor,
            entry.line.is_deferred,
            entry.line.trace,
            # A document of one subscription says it once.
            None if draft.subscription_id is not None else entry.line.subscription_id,
            entry.line.key.adjustment_id if isinstance(entry.line.key, AdjustmentKey) else None,
            tax_shares_to_json(entry.taxes),
            entry.line.tax_category,
        )
        for number, entry in enumerate(draft.lines, start=1)
    ]


def _what_for(line: Line) -> tuple[Any, ...]:
    """Return item, charge, dimension and period of a line; an adjustment has its period only."""
    if isinstance(line.key, AdjustmentKey):
        return (None, None, "", *line.key.period)
    return (*line.key[:3], *line.key.period)


def tax_shares_to_json(shares: Sequence[TaxShare]) -> list[dict[str, Any]] | None:
    """Return the parts of a line's tax as the column `taxes` keeps them; None where there are none."""
    if not shares:
        return None
    return [
        {
            "name": share.name,
            "jurisdiction": share.jurisdiction,
            "percent": plain(share.percent),
            "is_inclusive": share.is_inclusive,
            "amount_minor": share.amount_minor,
            "is_charged": share.is_charged,
        }
        for share in shares
    ]


def tax_shares_from_json(json: Sequence[Mapping[str, Any]] | None) -> tuple[TaxShare, ...]:
    """Return the parts that `tax_shares_to_json` wrote."""
    return tuple(TaxShare(**{**entry, "percent": Decimal(entry["percent"])}) for entry in json or ())


def invoice_row(draft: Draft, lines: Sequence[Sequence[Any]], series: str, number: int) -> tuple[Any, ...]:
    """Return the row of `INVOICE_COLUMNS` of a document that takes `number`, its digest worked out.

    `lines` are its `line_rows`.
    """
    further = (draft.due_on, draft.po_number, draft.credits_invoice_id, draft.settles, draft.tax_note)
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
        *digest_further((*DIGEST_FURTHER, DIGEST_PAYMENTS), (*further, payments_to_digest(draft.wallet_payments))),
    )
    digest = document_digest(
        kind=draft.kind.value,
        series=series,
        number=number,
        head=head,
        lines=[digest_line(row[1:]) for row in lines],
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
        *further,
        draft.prepaid_minor,
    )


def payments_to_digest(payments: Sequence[WalletPayment]) -> list[list[Any]] | None:
    """Return what the digest covers of what wallets paid, in the order of lines and uses; None where nothing was."""
    ordered = sorted(payments, key=lambda payment: (payment.line_no, payment.use_id))
    return [[*payment[:4], plain(payment.amount), payment.paid_minor] for payment in ordered] or None


def digest_line(values: Sequence[Any]) -> list[Any]:
    """Return what the digest covers of a line, given its values in the order of `LINE_COLUMNS` without the document."""
    fixed, further = values[: len(DIGEST_LINE)], values[len(DIGEST_LINE) :]
    return list(fixed) if tuple(further) == _PLAIN_LINE else [*fixed, *digest_further(DIGEST_LINE_FURTHER, further)]


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
            select c.item_id, c.charge_id, c.period_start, c.period_end, max(c.settlement_no) as settlements,
                   (array_agg(c.metered_through order by c.settlement_no desc))[1] as metered_through
            from looked_at l join claims c on c.item_id = l.item_id and c.period_end > l.since
            group by c.item_id, c.charge_id, c.period_start, c.period_end
        )
        select c.item_id, c.charge_id, c.period_start, c.period_end, c.settlements, c.metered_through,
               b.dimension, coalesce(b.amount_minor, 0)::bigint, b.is_deferred, b.description, b.taxed
        from claimed c
        left join lateral (
            select l.dimension, sum(l.amount_minor) as amount_minor, bool_or(l.is_deferred) as is_deferred,
                   min(l.description) as description,
                   jsonb_agg(jsonb_build_array(l.amount_minor, l.tax_minor, l.taxes, i.tax_percent::text,
                                               i.tax_mode = 'inclusive')
                             order by k.settlement_no) as taxed
            from invoice_lines l
            join invoices i on i.id = l.invoice_id
            join claims k on k.item_id = l.item_id and k.charge_id = l.charge_id
                         and k.period_start = l.period_start and k.invoice_id = l.invoice_id
            where l.item_id = c.item_id and l.charge_id = c.charge_id and l.period_start = c.period_start
            group by l.dimension
        ) b on true
        """,
        (list(since), list(since.values())),
    )
    found: dict[UUID, list[Billed]] = {item_id: [] for item_id in since}
    for item_id, charge_id, start, end, settlements, metered, dimension, amount, is_deferred, words, taxed in rows:
        key = Key(ItemId(item_id), ChargeId(charge_id), dimension or "", Period(start, end))
        history = held(_taxed_amount(line) for line in taxed or ())
        found[item_id].append(Billed(key, amount, settlements, bool(is_deferred), words or "", history, metered))
    return found


def metered_claims(uow: UnitOfWork, since: Mapping[ItemId, datetime]) -> dict[ItemId, dict[Slot, datetime | None]]:
    """Return how far usage was counted by the last settlement of each claimed period that ends after `since[item_id]`.

    None: the period was over.
    """
    found: dict[ItemId, dict[Slot, datetime | None]] = {item_id: {} for item_id in since}
    if not since:
        return found
    rows = uow.fetch_all(
        """
        select distinct on (c.item_id, c.charge_id, c.period_start)
               c.item_id, c.charge_id, c.period_start, c.period_end, c.metered_through
        from unnest(%s::uuid[], %s::timestamptz[]) as l (item_id, since)
        join claims c on c.item_id = l.item_id and c.period_end > l.since
        order by c.item_id, c.charge_id, c.period_start, c.settlement_no desc
        """,
        (list(since), list(since.values())),
    )
    for item_id, charge_id, start, end, metered in rows:
        found[ItemId(item_id)][ChargeId(charge_id), Period(start, end)] = metered
    return found


def first_claims(uow: UnitOfWork, item_ids: Sequence[ItemId]) -> dict[tuple[ItemId, ChargeId], datetime]:
    """Return where the first period begins that each charge of these items has claimed."""
    rows = uow.fetch_all(
        "select item_id, charge_id, period_start from claims"
        " where item_id = any(%s) and follows is null and settlement_no = 1",
        [list(item_ids)],
    )
    return {(ItemId(item_id), ChargeId(charge_id)): start for item_id, charge_id, start in rows}


def _taxed_amount(line: Sequence[Any]) -> TaxedAmount:
    amount_minor, tax_minor, taxes, percent, prices_include_tax = line
    shares = tax_shares_from_json(taxes)
    by_rate = taxes_by_rate(shares, tax_minor, Decimal(percent), prices_include_tax=prices_include_tax)
    return TaxedAmount(amount_minor, by_rate)
