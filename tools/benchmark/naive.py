"""The naive job: one transaction and plain row statements for each subscription, under row-level security.

It asks for the same facts and comes, with the engine's own pure functions, to the same documents, transfers and
claims, down to the digest; it only does so one subscription and one row at a time, as a first version would.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from time import perf_counter
from typing import Any, Final
from uuid import UUID

from psycopg.types.json import Jsonb

from tenor.invoicing.billing_settings import BillingSettings
from tenor.invoicing.model import Draft, Key
from tenor.invoicing.rules.discounting import Looked
from tenor.invoicing.rules.documents import Occasion, Party, draft_documents, transfers_of
from tenor.invoicing.rules.dues import Due, Look, dues, next_due_at
from tenor.invoicing.rules.owed import UsageKey, owed_of_items
from tenor.invoicing.rules.price_memory import PriceMemory
from tenor.invoicing.rules.settle import settle
from tenor.invoicing.store import CLAIM_COLUMNS, INVOICE_COLUMNS, LINE_COLUMNS, invoice_row, line_rows
from tenor.kernel.calendar import parse_zone
from tenor.kernel.ids import TenantId, derived_id
from tenor.ledger.store import TRANSFER_COLUMNS, transfer_rows
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.platform.unit_of_work import Column, Row, UnitOfWork
from tenor.pricing import plan_versions, profile
from tenor.pricing.rules.rating import Usage
from tenor.subscriptions import BillingPosition, Item, Phase, Subscription
from tenor.subscriptions.model import Closing, PhaseState
from tenor.subscriptions.store.facts import terms_from_json
from tenor.subscriptions.store.subscriptions import SUBSCRIPTION_FIELDS, subscription_from
from tenor.taxes.model import AppliedRate, RatesOfCustomer, TaxRounding, TaxTreatment
from tools.benchmark.process import in_own_process, step
from tools.benchmark.subscribers import MEASURED_RUN
from tools.benchmark.written import Documents

_SERIES: Final = "INV"
_ACCOUNTS: Final = "select code, currency, id from accounts"
_TELL_EVERY: Final = 100

_EVENT_COLUMNS: Final = (
    ("id", "uuid"),
    ("type", "text"),
    ("object_id", "uuid"),
    ("payload", "jsonb"),
    ("occurred_at", "timestamptz"),
    ("recorded_at", "timestamptz"),
)
_OUTCOME_COLUMNS: Final = (
    ("run_id", "uuid"),
    ("subscription_id", "uuid"),
    ("outcome", "text"),
    ("document_count", "bigint"),
)

Accounts = dict[tuple[str, str], UUID]
"""Ids of the ledger's accounts by code and currency."""


@dataclass(frozen=True, slots=True)
class NaiveFigures:
    """One run of the naive job over one connection."""

    invoices: int
    seconds: float

    @property
    def microseconds_per_invoice(self) -> float:
        """Wall-clock time of one invoice."""
        return self.seconds / self.invoices * 1e6


def measure_naive(settings: Settings, tenant_id: TenantId, run: Documents, *, subscriptions: int) -> NaiveFigures:
    """Bill the first `subscriptions` that are due as part of `run`, in a process of its own."""
    return in_own_process(_bill_all, settings, tenant_id, run, subscriptions)


def _bill_all(settings: Settings, tenant_id: TenantId, run: Documents, subscriptions: int) -> NaiveFigures:
    with (
        Database.open(settings) as database,
        step(f"Naive job over {subscriptions:,} subscriptions", subscriptions) as tell,
    ):
        begun = perf_counter()
        with database.transaction(tenant_id) as uow:
            accounts = {(code, currency): id_ for code, currency, id_ in uow.fetch_all(_ACCOUNTS)}
            due = uow.fetch_all(
                "select distinct subscription_id from billing_positions where next_due_at <= %s"
                " order by subscription_id limit %s",
                [MEASURED_RUN, subscriptions],
            )
        for count, (subscription_id,) in enumerate(due, start=1):
            with database.transaction(tenant_id) as uow:
                _bill_one(uow, subscription_id, run, accounts)
            if count % _TELL_EVERY == 0:
                tell(count)
        return NaiveFigures(invoices=len(due), seconds=perf_counter() - begun)


def _bill_one(uow: UnitOfWork, subscription_id: UUID, run: Documents, accounts: Accounts) -> None:
    subscription = subscription_from(
        _one(uow, f"select {SUBSCRIPTION_FIELDS} from subscriptions s where s.id = %s", subscription_id)
    )
    tax_percent = _one(uow, "select tax_percent from customers where id = %s", subscription.customer_id)[0]
    item, position = _item(uow, subscription)
    plan = plan_versions(uow, [item.plan_version_id], is_verified=False)[item.plan_version_id]
    policy, zone = profile(subscription.profile), parse_zone(subscription.timezone)

    look = Look(MEASURED_RUN, position.settled_through, position.revisit_from)
    looked_at = dues(item, plan, look, zone, policy.calendar)
    usage = _usage(uow, subscription, item, looked_at)
    memory = PriceMemory(policy, currency=plan.currency)
    (owed,) = owed_of_items([Looked(item, plan, look)], [looked_at], (), usage, memory, zone)
    rates = RatesOfCustomer({}, TaxTreatment((AppliedRate("tax", tax_percent),), "customer"))
    party = Party(
        subscription.customer_id,
        subscription.id,
        subscription.currency,
        plan.tax_mode,
        rates,
        TaxRounding(),
        payment_terms=BillingSettings().payment_terms,
    )
    lines = settle(owed, [], now=MEASURED_RUN, subscription_id=subscription.id)
    drafts = draft_documents(lines, party, Occasion(MEASURED_RUN, MEASURED_RUN, run.run_id))

    for draft in drafts:
        _write_document(uow, draft, item, run, accounts)
    _insert(uow, "bill_run_items", _OUTCOME_COLUMNS, (run.run_id, subscription.id, "invoiced", len(drafts)))
    next_at = next_due_at(item, plan, zone, policy.calendar, after=MEASURED_RUN)
    uow.execute(
        "update billing_positions set settled_through = %s, next_due_at = %s, revisit_from = null"
        " where subscription_id = %s and item_id = %s",
        [MEASURED_RUN, next_at, subscription.id, item.id],
    )


def _item(uow: UnitOfWork, subscription: Subscription) -> tuple[Item, BillingPosition]:
    item_id, plan_version_id, anchor_at, discount_percent, settled_through, revisit_from = _one(
        uow,
        """
        select i.id, i.plan_version_id, i.anchor_at, i.discount_percent, b.settled_through, b.revisit_from
        from subscription_items i join billing_positions b on b.subscription_id = i.subscription_id and b.item_id = i.id
        where i.subscription_id = %s for no key update of b
        """,
        subscription.id,
    )
    rows = uow.fetch_all(
        "select starts_at, ends_at, is_billable, terms, state, closing from phases"
        " where item_id = %s and superseded_by_version is null order by starts_at",
        [item_id],
    )
    phases = tuple(
        Phase(start, end, is_billable, terms_from_json(terms), PhaseState(state), Closing(closing))
        for start, end, is_billable, terms, state, closing in rows
    )
    item = Item(item_id, plan_version_id, anchor_at, discount_percent, phases)
    return item, BillingPosition(item_id, settled_through, revisit_from)


def _usage(uow: UnitOfWork, subscription: Subscription, item: Item, looked_at: Sequence[Due]) -> dict[UsageKey, Usage]:
    found = {}
    for due in looked_at:
        if due.charge.metric is not None:
            row = uow.fetch_one(
                "select coalesce(sum(value), 0) from usage_events"
                " where customer_id = %s and metric_code = %s and occurred_at >= %s and occurred_at < %s",
                [subscription.customer_id, due.charge.metric, due.period.start, due.period.end],
            )
            found[item.id, due.charge.id, due.period] = Usage(units=row[0] if row else Decimal(0))
    return found


def _write_document(uow: UnitOfWork, draft: Draft, item: Item, run: Documents, accounts: Accounts) -> None:
    number = _one(
        uow,
        "update document_series set next_number = next_number + 1 where series = %s returning next_number - 1",
        _SERIES,
    )[0]
    lines = line_rows(draft)
    _insert(uow, "invoices", INVOICE_COLUMNS, invoice_row(draft, lines, _SERIES, number))
    for row in lines:
        _insert(uow, "invoice_lines", LINE_COLUMNS, row)
    for row in transfer_rows(transfers_of(draft), accounts):
        _insert(uow, "transfers", TRANSFER_COLUMNS, row)
    for entry in draft.lines:
        key, period = entry.line.key, entry.line.key.period
        if not isinstance(key, Key):
            continue
        follows = None if period.start == item.starts_at else period.start
        claim = (key.item_id, key.charge_id, *period, 1, None, follows, entry.line.amount_minor, draft.id, None)
        _insert(uow, "claims", CLAIM_COLUMNS, claim)
    _insert(uow, "outbox_events", _EVENT_COLUMNS, _event_row(draft, run))


def _event_row(draft: Draft, run: Documents) -> Row:
    payload = {
        "kind": draft.kind.value,
        "customer_id": str(draft.customer_id),
        "subscription_id": str(draft.subscription_id),
        "currency": draft.currency,
        "total_minor": draft.total_minor,
        "due_minor": draft.due_minor,
    }
    event_id = derived_id(MEASURED_RUN, draft.id.bytes, b"finalised")
    return (event_id, f"{draft.kind.value}.finalised", draft.id, payload, draft.issued_at, run.started_at)


def _one(uow: UnitOfWork, statement: str, key: object) -> Row:
    row = uow.fetch_one(statement, [key])
    if row is None:
        raise LookupError(f"no row for {key}")
    return row


def _insert(uow: UnitOfWork, table: str, columns: Sequence[Column], row: Sequence[Any]) -> None:
    values = (Jsonb(value) if isinstance(value, Mapping) else value for value in row)
    uow.execute(_insert_into(table, tuple(columns)), [uow.tenant_id, *values])


@cache
def _insert_into(table: str, columns: tuple[Column, ...]) -> str:
    names = ", ".join(name for name, _ in columns)
    return f"insert into {table} (tenant_id, {names}) values (%s{', %s' * len(columns)})"
