"""Check what was issued against itself: sums, digests, numbers, claims and outcomes."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from tenor.invoicing.model import WalletPayment
from tenor.invoicing.proof import CHUNK, Progress, Proof
from tenor.invoicing.rules.documents import document_digest
from tenor.invoicing.store import (
    DIGEST_FURTHER,
    DIGEST_HEAD,
    DIGEST_PAYMENTS,
    LINE_COLUMNS,
    WALLET_PAYMENT_COLUMNS,
    digest_further,
    digest_line,
    payments_to_digest,
    tax_shares_from_json,
)
from tenor.kernel.ids import to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import UnitOfWork

_HEAD: Final = ("id", "kind", "series", "number", "total_minor", "prepaid_minor", "due_minor", "line_count", "digest")
_LINE: Final = tuple(name for name, _ in LINE_COLUMNS)
_PAYMENT: Final = tuple(name for name, _ in WALLET_PAYMENT_COLUMNS)


def check_documents(uow: UnitOfWork, proof: Proof, told: Progress) -> None:
    """Find documents whose sums, number of lines or digest are not what their lines give, and lines of no document."""
    columns = (*_HEAD, *DIGEST_HEAD, *DIGEST_FURTHER)
    last = ("", 0)
    while documents := uow.fetch_all(
        f"select {', '.join(columns)} from invoices where (series, number) > (%s, %s) order by series, number limit %s",
        [*last, CHUNK],
    ):
        ids = [row[0] for row in documents]
        lines = _by_document(uow, "invoice_lines", _LINE, ids)
        payments = _by_document(uow, "wallet_payments", _PAYMENT, ids)
        for row in documents:
            document = dict(zip(columns, row, strict=True))
            paid = [WalletPayment(*payment[1:]) for payment in payments.get(row[0], ())]
            _check_document(proof, document, lines.get(row[0], []), paid)
        proof.checked["documents"] += len(documents)
        told("documents", len(documents))
        last = documents[-1][2:4]
    orphans = uow.fetch_all(
        "select distinct l.invoice_id from invoice_lines l"
        " left join invoices i on i.id = l.invoice_id where i.id is null"
    )
    for (document_id,) in orphans:
        proof.found("document_missing", to_wire("inv", document_id), "there are lines of this document, but it is gone")
    strangers = uow.fetch_all(
        """
        select distinct i.id, i.series || '-' || i.number as name
        from invoices i
        left join invoice_lines l on i.subscription_id is null and l.invoice_id = i.id
        join subscriptions s on s.id = coalesce(i.subscription_id, l.subscription_id)
        where s.customer_id <> i.customer_id order by name
        """
    )
    for document_id, name in strangers:
        proof.found("customer_differs", to_wire("inv", document_id), f"{name} bills a subscription of another customer")


def _by_document(
    uow: UnitOfWork, table: str, columns: Sequence[str], ids: Sequence[UUID]
) -> dict[UUID, list[tuple[Any, ...]]]:
    rows = uow.fetch_all(
        f"select {', '.join(columns)} from {table} where invoice_id = any(%s) order by invoice_id, line_no", [ids]
    )
    return {invoice_id: list(group) for invoice_id, group in groupby(rows, key=itemgetter(0))}


def _check_document(
    proof: Proof, document: Mapping[str, Any], rows: list[tuple[Any, ...]], paid: Sequence[WalletPayment]
) -> None:
    subject, name = to_wire("inv", document["id"]), f"{document['series']}-{document['number']}"
    proof.checked["lines"] += len(rows)
    if len(rows) != document["line_count"]:
        proof.found("line_missing", subject, f"{name} has {len(rows)} lines; {document['line_count']} were issued")
    prepaid_minor = sum(payment.paid_minor for payment in paid)
    lines = [dict(zip(_LINE, row, strict=True)) for row in rows]
    _check_sums(proof, subject, name, document, lines, prepaid_minor=prepaid_minor)
    head = [plain(value) if field == "tax_percent" else value for field, value in _picked(document, DIGEST_HEAD)]
    further = digest_further(
        (*DIGEST_FURTHER, DIGEST_PAYMENTS),
        [*(value for _, value in _picked(document, DIGEST_FURTHER)), payments_to_digest(paid)],
    )
    fresh = document_digest(
        kind=document["kind"],
        series=document["series"],
        number=document["number"],
        head=[*head, *further],
        lines=(digest_line(row[1:]) for row in rows),
    )
    if fresh != bytes(document["digest"]):
        proof.found("document_changed", subject, f"{name} is not what was issued: its digest differs")


def _picked(document: Mapping[str, Any], names: Sequence[str]) -> list[tuple[str, Any]]:
    return [(name, document[name]) for name in names]


def _check_sums(
    proof: Proof,
    subject: str,
    name: str,
    document: Mapping[str, Any],
    lines: Sequence[Mapping[str, Any]],
    *,
    prepaid_minor: int,
) -> None:
    currency, is_inclusive = document["currency"], document["tax_mode"] == "inclusive"
    net_minor = tax_minor = 0
    for line in lines:
        shares = tax_shares_from_json(line["taxes"])
        included_minor = line["tax_minor"] if is_inclusive else 0
        if shares:
            included_minor = sum(share.amount_minor for share in shares if share.is_inclusive)
            charged_minor = sum(share.amount_minor for share in shares if share.is_charged)
            if charged_minor != line["tax_minor"]:
                proof.found(
                    "tax_parts_differ",
                    subject,
                    f"{name}: line {line['line_no']} says tax {format_minor(line['tax_minor'], currency)}, "
                    f"its parts come to {format_minor(charged_minor, currency)}",
                )
        net_minor += line["amount_minor"] - included_minor
        tax_minor += line["tax_minor"]
    total_minor = net_minor + tax_minor
    charged_minor = total_minor - prepaid_minor
    due_minor = 0 if document["kind"] == "credit_note" else max(0, charged_minor - document["credit_applied_minor"])
    for what, summed, printed in (
        ("net", net_minor, document["net_minor"]),
        ("tax", tax_minor, document["tax_minor"]),
        ("total", total_minor, document["total_minor"]),
        ("paid by wallets", prepaid_minor, document["prepaid_minor"]),
        ("due", due_minor, document["due_minor"]),
    ):
        if summed != printed:
            proof.found(
                "document_sum",
                subject,
                f"{name}: the lines give {what} {format_minor(summed, currency)}, "
                f"the document says {format_minor(printed, currency)}",
            )


def check_numbers(uow: UnitOfWork, proof: Proof) -> None:
    """Find gaps in the legal numbers."""
    rows = uow.fetch_all(
        """
        select series, coalesce(s.next_number - 1, 0), coalesce(i.documents, 0), coalesce(i.highest, 0)
        from document_series s
        full join (
            select series, count(*) as documents, max(number) as highest
            from (select series, number from invoices union all select series, number from receipts
                  union all select series, number from proformas) numbered
            group by series
        ) i using (series)
        order by series
        """
    )
    for series, taken, count, highest in rows:
        proof.checked["number series"] += 1
        if taken != count or taken != highest:
            proof.found("number_gap", series, f"{taken} numbers were taken, {count} documents exist up to {highest}")


def check_claims(uow: UnitOfWork, proof: Proof) -> None:
    """Find keys whose claims and lines do not hold the same amount."""
    proof.checked["claims"] = (uow.fetch_one("select count(*) from claims") or (0,))[0]
    rows = uow.fetch_all(
        """
        select item_id, period_start, sum(claimed)::bigint, sum(billed)::bigint
        from (
            select item_id, charge_id, period_start, period_end, amount_minor as claimed, 0 as billed from claims
            union all
            select item_id, charge_id, period_start, period_end, 0, amount_minor from invoice_lines
            where adjustment_id is null
        ) both_sides
        group by item_id, charge_id, period_start, period_end having sum(claimed) <> sum(billed)
        """
    )
    for item_id, start, claimed, billed in rows:
        proof.found(
            "claim_differs",
            to_wire("itm", item_id),
            f"the period from {format_instant(start)} claims {claimed} minor units, its lines hold {billed}",
        )


def check_runs(uow: UnitOfWork, proof: Proof) -> None:
    """Find runs in which a subscription has no outcome, and outcomes that are not what was issued."""
    rows = uow.fetch_all(
        """
        select r.id, coalesce(b.outcomes, 0)::bigint, count(i.subscription_id)
        from bill_runs r
        left join (
            select run_id, sum(coalesce(outcome_count, subscription_count)) as outcomes
            from bill_run_batches group by run_id
        ) b on b.run_id = r.id
        left join bill_run_items i on i.run_id = r.id
        where r.finished_at is not null group by r.id, b.outcomes
        """
    )
    proof.checked["bill runs"] = len(rows)
    for run_id, looked_at, recorded in rows:
        if recorded < looked_at:
            proof.found(
                "outcome_missing",
                to_wire("run", run_id),
                f"{looked_at} subscriptions were looked at, {recorded} have an outcome",
            )
    rows = uow.fetch_all(
        """
        select run_id, subscription_id, coalesce(o.document_count, 0), coalesce(d.documents, 0)
        from bill_run_items o
        full join (
            select i.run_id, coalesce(l.subscription_id, i.subscription_id) as subscription_id,
                   count(distinct i.id) as documents
            from invoices i join invoice_lines l on l.invoice_id = i.id
            where i.run_id is not null and coalesce(l.subscription_id, i.subscription_id) is not null
            group by 1, 2
        ) d using (run_id, subscription_id)
        where coalesce(o.document_count, 0) <> coalesce(d.documents, 0) order by run_id, subscription_id
        """
    )
    for run_id, subscription_id, recorded, issued in rows:
        proof.found(
            "outcome_differs",
            to_wire("sub", subscription_id),
            f"{to_wire('run', run_id)} says that it issued {recorded} documents, {issued} exist",
        )


def check_states(uow: UnitOfWork, proof: Proof) -> None:
    """Find subscriptions whose state is not where their moves have brought them, or that miss a move."""
    rows = uow.fetch_all(
        """
        select s.id, s.status, coalesce(m.last_status, 'created'), coalesce(m.highest - m.moves, 0)
        from subscriptions s
        left join (
            select subscription_id, count(*) as moves, max(move_no) as highest,
                   (array_agg(to_status order by move_no desc))[1] as last_status
            from subscription_moves group by subscription_id
        ) m on m.subscription_id = s.id
        where s.status <> coalesce(m.last_status, 'created') or m.highest <> m.moves order by s.id
        """
    )
    for subscription_id, status, last_status, missing in rows:
        proof.found(
            "state_differs",
            to_wire("sub", subscription_id),
            f"it is {status}; its moves have made it {last_status}, and {missing} of them are gone",
        )
