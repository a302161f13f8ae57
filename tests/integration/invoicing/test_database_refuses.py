"""What the database alone refuses about money, whoever writes it and whatever the code believes.

The prepared company has been billed twice: December and January are claimed.
"""

from itertools import product
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import (
    CheckViolation,
    ForeignKeyViolation,
    InsufficientPrivilege,
    RestrictViolation,
    UniqueViolation,
)

from tenor.invoicing.rules.lifecycle import DOCUMENT_MOVES, DocumentStatus
from tests.support.company import Company, instant

DOCUMENTS = ("invoices", "invoice_lines", "transfers", "claims", "bill_run_items")


@pytest.mark.parametrize("table", DOCUMENTS)
@pytest.mark.parametrize("change", ["update {table} set tenant_id = tenant_id", "delete from {table}"])
def test_what_was_issued_can_be_changed_by_nobody(company: Company, table: str, change: str) -> None:
    statement = change.format(table=table)
    with pytest.raises(InsufficientPrivilege), company.work() as uow:
        uow.execute(statement)
    with pytest.raises(RestrictViolation, match="append-only"), company.owner() as owner:
        owner.execute(statement)


@pytest.mark.parametrize("table", DOCUMENTS)
def test_what_was_issued_cannot_be_truncated(company: Company, table: str) -> None:
    with pytest.raises(RestrictViolation, match="append-only"), company.owner() as owner:
        owner.execute(f"truncate {table} cascade")


@pytest.mark.parametrize(
    ("start", "end", "follows", "number", "refusal"),
    [
        ("2026-01-01", "2026-02-01", "2026-01-01", 1, UniqueViolation),  # January is claimed already
        ("2026-01-15", "2026-02-15", "2026-01-15", 1, ForeignKeyViolation),  # overlaps January
        ("2026-01-15", "2026-02-15", None, 1, UniqueViolation),  # a second chain beside the first
        ("2026-01-15", "2026-02-01", "2026-01-15", 1, UniqueViolation),  # ends with January
        ("2026-03-01", "2026-04-01", "2026-03-01", 1, ForeignKeyViolation),  # leaves February out
        ("2026-02-01", "2026-03-01", "2026-01-01", 1, CheckViolation),  # follows something else than it says
        ("2026-03-01", "2026-02-01", "2026-03-01", 1, CheckViolation),  # ends before it starts
        ("2026-01-01", "2026-02-01", None, 3, ForeignKeyViolation),  # settlement 2 is missing
        ("2026-02-01", "2026-03-01", None, 2, ForeignKeyViolation),  # corrects what was never settled
    ],
)
def test_a_claim_that_overlaps_leaves_a_gap_or_repeats_is_refused(
    company: Company, start: str, end: str, follows: str | None, number: int, refusal: type[psycopg.Error]
) -> None:
    with pytest.raises(refusal), company.work() as uow:
        uow.execute(_CLAIM, _claim(company, start, end, follows, number))


def test_the_next_period_and_the_next_settlement_are_taken_once(company: Company) -> None:
    next_period = _claim(company, "2026-02-01", "2026-03-01", "2026-02-01", 1)
    correction = _claim(company, "2026-01-01", "2026-02-01", None, 2)
    with company.work() as uow:
        uow.execute(_CLAIM, next_period)
        uow.execute(_CLAIM, correction)
    for again in (next_period, correction):
        with pytest.raises(UniqueViolation), company.work() as uow:
            uow.execute(_CLAIM, again)


def test_a_claim_of_an_amount_needs_a_document_that_exists(company: Company) -> None:
    claim = _claim(company, "2026-02-01", "2026-03-01", "2026-02-01", 1)
    with pytest.raises(CheckViolation), company.work() as uow:
        uow.execute(_CLAIM, {**claim, "amount": 100})
    with pytest.raises(ForeignKeyViolation), company.work() as uow:
        uow.execute(_CLAIM, {**claim, "amount": 100, "invoice": uuid4()})


@pytest.mark.parametrize("unknown", ["item", "charge"])
@pytest.mark.parametrize(("follows", "number"), [(None, 1), ("2026-02-01", 1), (None, 2)], ids=str)
def test_no_claim_is_of_an_item_or_a_charge_that_does_not_exist(
    company: Company, unknown: str, follows: str | None, number: int
) -> None:
    """Neither where a chain begins, nor where a claim says to follow one, nor where it settles anew."""
    claim = _claim(company, "2026-02-01", "2026-03-01", follows, number)
    with pytest.raises(ForeignKeyViolation), company.work() as uow:
        uow.execute(_CLAIM, {**claim, unknown: uuid4()})


def test_a_tenant_has_one_open_run(company: Company) -> None:
    statement = (
        "insert into bill_runs (tenant_id, id, as_of, started_at, planned_subscriptions, planned_batches)"
        " values (%s, %s, now(), now(), 0, 0)"
    )
    with company.work() as uow:
        uow.execute(statement, [company.tenant_id, uuid4()])
    with pytest.raises(UniqueViolation, match="bill_runs_open"), company.work() as uow:
        uow.execute(statement, [company.tenant_id, uuid4()])


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_a_transfer_moves_a_positive_amount(company: Company, amount_minor: int) -> None:
    with pytest.raises(CheckViolation), company.work() as uow:
        uow.execute(_copied("transfers", id="gen_random_uuid()", amount_minor=str(amount_minor)))


def test_a_transfer_has_two_sides_in_one_currency(company: Company) -> None:
    with pytest.raises(CheckViolation), company.work() as uow:
        uow.execute(_copied("transfers", id="gen_random_uuid()", credit_account_id="debit_account_id"))
    with pytest.raises(ForeignKeyViolation), company.work() as uow:
        uow.execute(_copied("transfers", id="gen_random_uuid()", currency="'EUR'"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"total_minor": "total_minor + 1"},
        {"net_minor": "net_minor + 1"},
        {"due_minor": "due_minor + 1"},
        {"credit_applied_minor": "1"},  # and the due amount is not less
        {"credit_applied_minor": "total_minor + 1", "due_minor": "-1"},
        {"credit_applied_minor": "-1", "due_minor": "total_minor + 1"},
        {"net_minor": "-tax_minor - 1", "total_minor": "-1", "due_minor": "-1"},  # an invoice below zero
        {"kind": "'credit_note'"},  # a credit note above zero
        {"line_count": "0"},
        {"tax_percent": "101"},
        {"digest": "'short'"},
    ],
    ids=str,
)
def test_a_document_whose_amounts_do_not_add_up_is_refused(company: Company, wrong: dict[str, str]) -> None:
    with pytest.raises(CheckViolation), company.work() as uow:
        uow.execute(_copied("invoices", id="gen_random_uuid()", number="999", **wrong))


def test_a_number_is_taken_once(company: Company) -> None:
    with pytest.raises(UniqueViolation, match="series_number"), company.work() as uow:
        uow.execute(_copied("invoices", id="gen_random_uuid()"))


def test_a_line_belongs_to_a_document_and_is_not_zero(company: Company) -> None:
    with pytest.raises(ForeignKeyViolation), company.work() as uow:
        uow.execute(_copied("invoice_lines", invoice_id="gen_random_uuid()"))
    with pytest.raises(CheckViolation), company.work() as uow:
        uow.execute(_copied("invoice_lines", line_no="99", amount_minor="0"))


def test_a_credit_never_falls_below_zero(billed: Company) -> None:
    with pytest.raises(CheckViolation), billed.work() as uow:
        uow.execute("update customer_credits set balance_minor = -1")


_CLAIM = """
    insert into claims (tenant_id, item_id, charge_id, period_start, period_end, settlement_no, previous_no, follows,
                        amount_minor, invoice_id)
    values (%(tenant)s, %(item)s, %(charge)s, %(start)s, %(end)s, %(number)s, %(previous)s, %(follows)s,
            %(amount)s, %(invoice)s)
"""


def _claim(company: Company, start: str, end: str, follows: str | None, number: int) -> dict[str, Any]:
    """Return a claim of zero on the base fee of s04, of which December and January are claimed."""
    ((item_id, charge_id),) = company.rows(
        """
        select distinct c.item_id, c.charge_id
        from claims c
        join charges h on h.id = c.charge_id and h.code = 'base'
        join subscription_items i on i.id = c.item_id
        join subscriptions s on s.id = i.subscription_id and s.external_id = 's04'
        """
    )
    assert isinstance(item_id, UUID)
    return {
        "tenant": company.tenant_id,
        "item": item_id,
        "charge": charge_id,
        "start": instant(start),
        "end": instant(end),
        "number": number,
        "previous": number - 1 or None,
        "follows": instant(follows) if follows else None,
        "amount": 0,
        "invoice": None,
    }


def _copied(table: str, **changed: str) -> str:
    """Return the statement that writes a row of `table` once more, with other expressions for some columns."""
    columns = {
        "transfers": "tenant_id, id, effective_at, debit_account_id, credit_account_id, amount_minor, currency,"
        " customer_id, source_type, source_id, kind",
        "invoices": "tenant_id, id, kind, series, number, customer_id, subscription_id, run_id, currency, tax_mode,"
        " tax_percent, issued_at, billed_for, net_minor, tax_minor, total_minor, credit_applied_minor, due_minor,"
        " line_count, digest",
        "invoice_lines": "tenant_id, invoice_id, line_no, issued_at, item_id, charge_id, dimension, period_start,"
        " period_end, description, amount_minor, tax_minor, is_deferred, trace",
    }[table]
    values = ", ".join(changed.get(name, name) for name in columns.replace(",", "").split())
    return f"insert into {table} ({columns}) select {values} from {table} limit 1"


def test_a_document_goes_only_where_its_life_leads(company: Company) -> None:
    """The database knows the moves of the code and no other; a document without a row is finalized."""
    moves = {(before, after) for (before, _), after in DOCUMENT_MOVES.items()}
    pairs = list(product(DocumentStatus, DocumentStatus))
    document = company.document("INV-1").id
    with company.work() as uow:
        known = uow.fetch_all(
            "select document_move_allowed(a, b) from unnest(%s::text[], %s::text[]) as pair (a, b)",
            [[before for before, _ in pairs], [after for _, after in pairs]],
        )
        assert [pair for pair, (is_known,) in zip(pairs, known, strict=True) if is_known] == sorted(
            moves, key=pairs.index
        )
        for before, after in pairs:
            if before is DocumentStatus.DRAFT or before is after:
                continue  # no draft is stored
            with uow.connection.transaction(force_rollback=True):
                uow.execute(_STATE, [uow.tenant_id, document, before])
                if (before, after) in moves:
                    uow.execute(_STATE, [uow.tenant_id, document, after])
                    continue
                with pytest.raises(CheckViolation, match=f"from {before} to {after}"), uow.connection.transaction():
                    uow.execute(_STATE, [uow.tenant_id, document, after])


_STATE = """
    insert into document_states (tenant_id, invoice_id, status, due_minor, changed_at) values (%s, %s, %s, 0, now())
    on conflict (tenant_id, invoice_id) do update set status = excluded.status
"""
