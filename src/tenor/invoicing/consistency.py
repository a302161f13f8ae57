"""Check what was issued against itself: sums, digests, numbers, transfers, credits, claims and outcomes."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

from tenor.invoicing.proof import CHUNK, Progress, Proof
from tenor.invoicing.rules.documents import document_digest
from tenor.invoicing.store import DIGEST_HEAD, LINE_COLUMNS
from tenor.kernel.ids import to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.period import format_instant
from tenor.kernel.quantity import plain
from tenor.ledger import CHART_OF_ACCOUNTS, trial_balance
from tenor.platform.unit_of_work import UnitOfWork

_ACCOUNTS: Final = tuple(CHART_OF_ACCOUNTS)


def check_documents(uow: UnitOfWork, proof: Proof, told: Progress) -> None:
    """Find documents whose sums, number of lines or digest are not what their lines give, and lines of no document."""
    names = ", ".join(name for name, _ in LINE_COLUMNS)
    last = ("", 0)
    while documents := uow.fetch_all(
        "select id, kind, series, number, total_minor, due_minor, line_count, digest, "
        + ", ".join(DIGEST_HEAD)
        + " from invoices where (series, number) > (%s, %s) order by series, number limit %s",
        [*last, CHUNK],
    ):
        rows = uow.fetch_all(
            f"select {names} from invoice_lines where invoice_id = any(%s) order by invoice_id, line_no",
            [[row[0] for row in documents]],
        )
        lines = {invoice_id: list(group) for invoice_id, group in groupby(rows, key=itemgetter(0))}
        for row in documents:
            _check_document(proof, row, lines.get(row[0], []))
        proof.checked["documents"] += len(documents)
        told("documents", len(documents))
        last = documents[-1][2:4]
    orphans = uow.fetch_all(
        "select distinct l.invoice_id from invoice_lines l"
        " left join invoices i on i.id = l.invoice_id where i.id is null"
    )
    for (document_id,) in orphans:
        proof.found("document_missing", to_wire("inv", document_id), "there are lines of this document, but it is gone")


def _check_document(proof: Proof, row: Sequence[Any], lines: list[tuple[Any, ...]]) -> None:
    document_id, kind, series, number, total_minor, due_minor, line_count, digest = row[:8]
    head = dict(zip(DIGEST_HEAD, row[8:], strict=True))
    subject = to_wire("inv", document_id)
    name = f"{series}-{number}"
    proof.checked["lines"] += len(lines)
    if len(lines) != line_count:
        proof.found("line_missing", subject, f"{name} has {len(lines)} lines; {line_count} were issued")
    amount_minor, tax_minor = sum(line[9] for line in lines), sum(line[10] for line in lines)
    net_minor = amount_minor - tax_minor if head["tax_mode"] == "inclusive" else amount_minor
    currency = head["currency"]
    for what, summed, printed in (
        ("net", net_minor, head["net_minor"]),
        ("tax", tax_minor, head["tax_minor"]),
        ("total", net_minor + tax_minor, total_minor),
        ("due", max(0, total_minor - head["credit_applied_minor"]), due_minor),
    ):
        if summed != printed:
            proof.found(
                "document_sum",
                subject,
                f"{name}: the lines give {what} {format_minor(summed, currency)}, "
                f"the document says {format_minor(printed, currency)}",
            )
    head["tax_percent"] = plain(head["tax_percent"])
    fresh = document_digest(
        kind=kind, series=series, number=number, head=head.values(), lines=(line[1:] for line in lines)
    )
    if fresh != bytes(digest):
        proof.found("document_changed", subject, f"{name} is not what was issued: its digest differs")


def check_numbers(uow: UnitOfWork, proof: Proof) -> None:
    """Find gaps in the legal numbers."""
    rows = uow.fetch_all(
        """
        select series, coalesce(s.next_number - 1, 0), coalesce(i.documents, 0), coalesce(i.highest, 0)
        from document_series s
        full join (select series, count(*) as documents, max(number) as highest from invoices group by series) i
            using (series)
        order by series
        """
    )
    for series, taken, count, highest in rows:
        proof.checked["number series"] += 1
        if taken != count or taken != highest:
            proof.found("number_gap", series, f"{taken} numbers were taken, {count} documents exist up to {highest}")


def check_ledger(uow: UnitOfWork, proof: Proof) -> None:
    """Find documents that the ledger does not hold as they are, transfers of no document, and balances that differ."""
    proof.checked["transfers"] = (uow.fetch_one("select count(*) from transfers") or (0,))[0]
    for document_id, name, currency, *amounts in uow.fetch_all(_BOOKED_OTHERWISE):
        pairs = zip(_ACCOUNTS, amounts[: len(_ACCOUNTS)], amounts[len(_ACCOUNTS) :], strict=True)
        told = ", ".join(
            f"{code} {format_minor(booked, currency)} instead of {format_minor(expected, currency)}"
            for code, expected, booked in pairs
            if expected != booked
        )
        subject = to_wire("inv", document_id)
        if name is None:
            proof.found("ledger_differs", subject, f"transfers of a document that this customer does not have: {told}")
        else:
            proof.found("ledger_differs", subject, f"{name} is booked as {told}")
    balance = trial_balance(uow)
    for currency in balance.currencies:
        if balance.difference_minor(currency):
            proof.found("ledger_unbalanced", currency, f"debits exceed credits by {balance.difference_minor(currency)}")
    for customer_id, currency, kept, booked in uow.fetch_all(_CREDITED_OTHERWISE):
        proof.found(
            "customer_credit_differs",
            to_wire("cus", customer_id),
            f"a credit of {format_minor(kept, currency)} {currency} is kept, the ledger holds "
            f"{format_minor(booked, currency)}",
        )


_ENTRIES: Final = """
    select t.source_id, t.customer_id, t.currency, a.code, e.debit_minor
    from transfers t
    cross join lateral (values (t.debit_account_id, t.amount_minor), (t.credit_account_id, -t.amount_minor))
        e (account_id, debit_minor)
    left join accounts a on a.id = e.account_id and a.currency = t.currency
"""
"""Both sides of every transfer, a credit as a negative debit."""


def _balance_of(code: str) -> str:
    sign = "" if CHART_OF_ACCOUNTS[code] == "debit" else "-"
    return f"coalesce({sign}sum(debit_minor) filter (where code = '{code}'), 0)::bigint as {code}"


_BOOKED_OTHERWISE: Final = f"""
    with held as (
        select l.invoice_id, l.is_deferred,
               sum(l.amount_minor - case i.tax_mode when 'inclusive' then l.tax_minor else 0 end) as net_minor
        from invoice_lines l join invoices i on i.id = l.invoice_id group by l.invoice_id, l.is_deferred
    ), expected as (
        select i.id as source_id, i.customer_id, i.currency, i.series || '-' || i.number as name,
               i.due_minor as receivable,
               coalesce(earned.net_minor, 0)::bigint as revenue,
               coalesce(ahead.net_minor, 0)::bigint as deferred_revenue,
               i.tax_minor as tax_payable,
               case i.kind when 'invoice' then -i.credit_applied_minor else -i.total_minor end as customer_credit
        from invoices i
        left join held earned on earned.invoice_id = i.id and not earned.is_deferred
        left join held ahead on ahead.invoice_id = i.id and ahead.is_deferred
    ), booked as (
        select source_id, customer_id, currency, {", ".join(_balance_of(code) for code in _ACCOUNTS)}
        from ({_ENTRIES}) entries group by source_id, customer_id, currency
    )
    select source_id, e.name, currency,
           {", ".join(f"coalesce(e.{code}, 0)" for code in _ACCOUNTS)},
           {", ".join(f"coalesce(b.{code}, 0)" for code in _ACCOUNTS)}
    from expected e full join booked b using (source_id, customer_id, currency)
    where {" or ".join(f"coalesce(e.{code}, 0) <> coalesce(b.{code}, 0)" for code in _ACCOUNTS)}
    order by e.name, source_id
"""
"""Documents, each with its balances as its lines give them and as its transfers do, where the two differ."""

_CREDITED_OTHERWISE: Final = f"""
    select customer_id, currency, coalesce(c.balance_minor, 0), coalesce(b.booked, 0)
    from customer_credits c
    full join (
        select customer_id, currency, -sum(debit_minor)::bigint as booked
        from ({_ENTRIES}) entries where code = 'customer_credit' group by customer_id, currency
    ) b using (customer_id, currency)
    where coalesce(c.balance_minor, 0) <> coalesce(b.booked, 0) order by customer_id, currency
"""


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
    """Find runs in which a planned subscription has no outcome, and outcomes that are not what was issued."""
    rows = uow.fetch_all(
        """
        select r.id, r.planned_subscriptions, count(i.subscription_id)
        from bill_runs r left join bill_run_items i on i.run_id = r.id
        where r.finished_at is not null group by r.id, r.planned_subscriptions
        """
    )
    proof.checked["bill runs"] = len(rows)
    for run_id, planned, recorded in rows:
        if recorded < planned:
            proof.found(
                "outcome_missing", to_wire("run", run_id), f"{planned} were planned, {recorded} have an outcome"
            )
    rows = uow.fetch_all(
        """
        select run_id, subscription_id, coalesce(o.document_count, 0), coalesce(d.documents, 0)
        from bill_run_items o
        full join (
            select run_id, subscription_id, count(*) as documents from invoices
            where run_id is not null group by run_id, subscription_id
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
