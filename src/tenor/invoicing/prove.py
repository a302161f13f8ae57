"""Prove: derive every issued document again from its inputs, and report any cent of drift.

Two independent paths meet here. The documents are checked against themselves (sums, digests, numbers, transfers),
and what they bill is checked against what the journals, price versions and usage say is owed.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from tenor.invoicing.model import Key, Owed
from tenor.invoicing.rules.documents import document_digest
from tenor.invoicing.rules.dues import Look, dues
from tenor.invoicing.rules.owed import PriceMemory, owed_of_item
from tenor.invoicing.store import DIGEST_HEAD, LINE_COLUMNS
from tenor.invoicing.usage import UsageRequest, read_usage
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import PlanVersionId, SubscriptionId, to_wire
from tenor.kernel.money import format_minor
from tenor.kernel.period import Period, format_instant
from tenor.kernel.quantity import plain
from tenor.ledger import trial_balance
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.model import PlanVersion
from tenor.pricing.policy import profile
from tenor.pricing.store import plan_versions, tampered_plan_versions
from tenor.subscriptions import journals, load_items, subscription_ids, timeline_drift
from tenor.subscriptions.rules.timeline import fold

CHUNK: Final = 1_000
"""Subscriptions, or documents, that are read and derived at a time."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be. `code` is stable; `subject` names the object on the wire."""

    code: str
    subject: str
    message: str


@dataclass(slots=True)
class Proof:
    """What was checked and what was found. `pending` counts items whose news the next run has yet to settle."""

    checked: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    pending: int = 0

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def found(self, code: str, subject: str, message: str) -> None:
        """Note a finding."""
        self.findings.append(Finding(code, subject, message))


Progress = Callable[[str, int], None]
"""Told the step and how many more objects of it are done."""


def prove(uow: UnitOfWork, *, on_progress: Progress | None = None) -> Proof:
    """Check everything that the tenant has issued; call it in a snapshot, or a run in work looks like drift.

    Cost grows with the number of documents and subscriptions, in a constant number of statements for
    each thousand of them.
    """
    proof = Proof()
    told = on_progress or (lambda _step, _count: None)
    tampered = _check_plan_versions(uow, proof)
    _check_documents(uow, proof, told)
    _check_numbers(uow, proof)
    _check_ledger(uow, proof)
    _check_claims(uow, proof)
    _check_runs(uow, proof)
    _check_owed(uow, proof, told, tampered)
    return proof


def _check_plan_versions(uow: UnitOfWork, proof: Proof) -> set[PlanVersionId]:
    """Find plan versions whose content no longer gives their hash."""
    count, tampered = tampered_plan_versions(uow)
    proof.checked["plan versions"] = count
    for version_id, name in tampered:
        proof.found("plan_version_changed", to_wire("plv", version_id), f"{name} is not what was applied")
    return {version_id for version_id, _ in tampered}


def _check_documents(uow: UnitOfWork, proof: Proof, told: Progress) -> None:
    """Find documents whose sums, number of lines, digest or transfers are not what their lines give."""
    documents = uow.fetch_all(
        "select id, kind, series, number, total_minor, due_minor, line_count, digest, issued_at, "
        + ", ".join(DIGEST_HEAD)
        + " from invoices order by series, number"
    )
    names = [name for name, _ in LINE_COLUMNS]
    for start in range(0, len(documents), CHUNK):
        chunk = documents[start : start + CHUNK]
        rows = uow.fetch_all(
            f"select {', '.join(names)} from invoice_lines where invoice_id = any(%s) order by invoice_id, line_no",
            [[row[0] for row in chunk]],
        )
        lines = {invoice_id: list(group) for invoice_id, group in groupby(rows, key=itemgetter(0))}
        for row in chunk:
            _check_document(proof, row, lines.get(row[0], []))
        told("documents", len(chunk))
    proof.checked["documents"] = len(documents)


def _check_document(proof: Proof, row: Sequence[Any], lines: list[tuple[Any, ...]]) -> None:
    document_id, kind, series, number, total_minor, due_minor, line_count, digest, _issued_at = row[:9]
    head = dict(zip(DIGEST_HEAD, row[9:], strict=True))
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
        kind=kind, series=series, number=number, head=head.values(), lines=(line[1:-1] for line in lines)
    )
    if fresh != bytes(digest):
        proof.found("document_changed", subject, f"{name} is not what was issued: its digest differs")


def _check_numbers(uow: UnitOfWork, proof: Proof) -> None:
    """Find gaps in the legal numbers."""
    rows = uow.fetch_all(
        """
        select s.series, s.next_number - 1, count(i.number), coalesce(max(i.number), 0)
        from document_series s left join invoices i on i.series = s.series
        group by s.series, s.next_number order by s.series
        """
    )
    for series, taken, count, highest in rows:
        proof.checked["number series"] += 1
        if taken != count or taken != highest:
            proof.found("number_gap", series, f"{taken} numbers were taken, {count} documents exist up to {highest}")


def _check_ledger(uow: UnitOfWork, proof: Proof) -> None:
    """Find documents that the ledger does not hold as they are, and balances that do not tie out."""
    proof.checked["transfers"] = (uow.fetch_one("select count(*) from transfers") or (0,))[0]
    rows = uow.fetch_all(
        """
        select i.id, i.series, i.number, i.currency, i.due_minor, coalesce(t.receivable, 0)::bigint,
               i.tax_minor, coalesce(t.tax, 0)::bigint
        from invoices i
        left join (
            select t.source_id,
                   sum(case when d.code = 'receivable' then t.amount_minor else 0 end
                       - case when c.code = 'receivable' then t.amount_minor else 0 end) as receivable,
                   sum(case when c.code = 'tax_payable' then t.amount_minor else 0 end
                       - case when d.code = 'tax_payable' then t.amount_minor else 0 end) as tax
            from transfers t
            join accounts d on d.id = t.debit_account_id
            join accounts c on c.id = t.credit_account_id
            group by t.source_id
        ) t on t.source_id = i.id
        where i.due_minor <> coalesce(t.receivable, 0) or i.tax_minor <> coalesce(t.tax, 0)
        order by i.series, i.number
        """
    )
    for document_id, series, number, currency, due, receivable, tax, booked_tax in rows:
        proof.found(
            "ledger_differs",
            to_wire("inv", document_id),
            f"{series}-{number}: due {format_minor(due, currency)} and tax {format_minor(tax, currency)} are booked as "
            f"{format_minor(receivable, currency)} and {format_minor(booked_tax, currency)}",
        )
    balance = trial_balance(uow)
    for currency in balance.currencies:
        if balance.difference_minor(currency):
            proof.found("ledger_unbalanced", currency, f"debits exceed credits by {balance.difference_minor(currency)}")
    credits_minor: dict[str, int] = dict(
        uow.fetch_all("select currency, sum(balance_minor)::bigint from customer_credits group by 1")
    )
    for account in balance.accounts:
        if account.code == "customer_credit" and account.balance_minor != credits_minor.get(account.currency, 0):
            proof.found("customer_credit_differs", account.currency, "customers' credits are not the ledger's balance")


def _check_claims(uow: UnitOfWork, proof: Proof) -> None:
    """Find keys whose claims and lines do not hold the same amount."""
    proof.checked["claims"] = (uow.fetch_one("select count(*) from claims") or (0,))[0]
    rows = uow.fetch_all(
        """
        select item_id, period_start, sum(claimed)::bigint, sum(billed)::bigint
        from (
            select item_id, charge_id, period_start, amount_minor as claimed, 0 as billed from claims
            union all
            select item_id, charge_id, period_start, 0, amount_minor from invoice_lines
        ) both_sides
        group by item_id, charge_id, period_start having sum(claimed) <> sum(billed)
        """
    )
    for item_id, start, claimed, billed in rows:
        proof.found(
            "claim_differs",
            to_wire("itm", item_id),
            f"the period from {format_instant(start)} claims {claimed} minor units, its lines hold {billed}",
        )


def _check_runs(uow: UnitOfWork, proof: Proof) -> None:
    """Find finished runs in which a planned subscription has no outcome."""
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


def _check_owed(uow: UnitOfWork, proof: Proof, told: Progress, tampered: set[PlanVersionId]) -> None:
    """Find keys whose billed amount is not what journal, prices and usage say is owed."""
    ids = subscription_ids(uow)
    plans: dict[PlanVersionId, PlanVersion] = {}
    memories: dict[tuple[str, str], PriceMemory] = {}
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        for drift in timeline_drift(uow, chunk):
            proof.found(
                "timeline_drift",
                to_wire("sub", drift.subscription_id),
                f"item {drift.item_id}: the phases in force are not what the journal gives",
            )
        owed = _owed_of(uow, chunk, plans, memories, proof, tampered)
        billed = _billed_of(uow, chunk)
        for key, subscription_id, amount_minor in owed:
            entry = billed.pop(key, None)
            if (entry or 0) != amount_minor:
                _report_drift(proof, subscription_id, key, owed_minor=amount_minor, billed_minor=entry or 0)
        settled_items = {key.item_id for key, _, _ in owed}
        for key, amount_minor in billed.items():
            if amount_minor and key.item_id in settled_items:
                _report_drift(proof, None, key, owed_minor=0, billed_minor=amount_minor)
        told("subscriptions", len(chunk))
    proof.checked["subscriptions"] = len(ids)


def _owed_of(
    uow: UnitOfWork,
    ids: Sequence[SubscriptionId],
    plans: dict[PlanVersionId, PlanVersion],
    memories: dict[tuple[str, str], PriceMemory],
    proof: Proof,
    tampered: set[PlanVersionId],
) -> list[tuple[Key, SubscriptionId, int]]:
    """Return what is owed of every settled item, from the journals alone; items with unsettled news are left out."""
    folded = {subscription_id: fold(journal) for subscription_id, journal in journals(uow, ids).items()}
    wanted = {item.plan_version_id for timeline in folded.values() for item in timeline.items}
    missing = wanted - plans.keys()
    if missing:
        plans.update(plan_versions(uow, sorted(missing), is_verified=not (missing & tampered)))
    work = []
    for standing in load_items(uow, ids):
        subscription = standing.subscription
        policy, zone = profile(subscription.profile), parse_zone(subscription.timezone)
        positions = {position.item_id: position for position in standing.positions}
        for item in folded[subscription.id].items:
            position = positions[item.id]
            if position.settled_through is None or position.revisit_from is not None:
                proof.pending += position.revisit_from is not None
                continue
            plan = plans[item.plan_version_id]
            look = Look(through=position.settled_through, settled_through=None, revisit_from=None)
            work.append(
                (subscription, item, dues(item, plan, look, zone, policy.calendar), zone, policy, plan.currency)
            )
    usage = read_usage(
        uow,
        [
            UsageRequest(subscription, item, due, zone, policy)
            for subscription, item, looked_at, zone, policy, _ in work
            for due in looked_at
            if due.charge.metric is not None
        ],
    )
    found: list[tuple[Key, SubscriptionId, int]] = []
    for subscription, item, looked_at, zone, policy, currency in work:
        memory = memories.setdefault((policy.name, currency), PriceMemory(policy, currency=currency))
        entries: list[Owed] = owed_of_item(item, looked_at, usage, memory, zone)
        found.extend((entry.key, subscription.id, entry.amount_minor) for entry in entries)
        proof.checked["owed amounts"] += len(entries)
    return found


def _billed_of(uow: UnitOfWork, ids: Sequence[SubscriptionId]) -> dict[Key, int]:
    rows = uow.fetch_all(
        """
        select l.item_id, l.charge_id, l.dimension, l.period_start, l.period_end, sum(l.amount_minor)::bigint
        from invoice_lines l join subscription_items i on i.id = l.item_id
        where i.subscription_id = any(%s)
        group by l.item_id, l.charge_id, l.dimension, l.period_start, l.period_end
        """,
        [list(ids)],
    )
    return {
        Key(item_id, charge_id, dimension, Period(start, end)): amount
        for item_id, charge_id, dimension, start, end, amount in rows
    }


def _report_drift(proof: Proof, subscription_id: UUID | None, key: Key, *, owed_minor: int, billed_minor: int) -> None:
    subject = to_wire("sub", subscription_id) if subscription_id else to_wire("itm", key.item_id)
    period = f"{format_instant(key.period.start)} to {format_instant(key.period.end)}"
    proof.found(
        "owed_differs",
        subject,
        f"charge {to_wire('chg', key.charge_id)} from {period}: owed {owed_minor}, billed {billed_minor} minor units",
    )


def findings_by_code(findings: Sequence[Finding]) -> Iterator[tuple[str, int]]:
    """Yield how many findings each code has, most first."""
    yield from Counter(finding.code for finding in findings).most_common()
