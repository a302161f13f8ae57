"""Check what people decided about documents: adjustments, payments, credits, write-offs and waivers tell one story."""

from typing import Final

from tenor.invoicing.proof import Proof
from tenor.invoicing.rules.lifecycle import DocumentStatus
from tenor.kernel.ids import to_wire
from tenor.kernel.period import format_instant
from tenor.platform.unit_of_work import UnitOfWork


def check_decisions(uow: UnitOfWork, proof: Proof) -> None:
    """Find adjustments, document states, payments, waivers and refunds that do not agree with their documents."""
    _check_adjustments(uow, proof)
    _check_payments(uow, proof)
    _check_states(uow, proof)
    _check_waivers(uow, proof)
    _check_refunds(uow, proof)
    _check_redemptions(uow, proof)


def _count(uow: UnitOfWork, proof: Proof, table: str) -> None:
    """Note how many rows are checked; a table that nobody has used is not worth a word."""
    if count := (uow.fetch_one(f"select count(*) from {table}") or (0,))[0]:
        proof.checked[table] = count


def _check_adjustments(uow: UnitOfWork, proof: Proof) -> None:
    """Find claimed adjustments that their document does not bill as they are, and lines that nobody claimed."""
    _count(uow, proof, "adjustments")
    for adjustment_id, decided_minor, billed_minor in uow.fetch_all(
        """
        select adjustment_id, coalesce(d.amount_minor, 0), coalesce(b.amount_minor, 0)::bigint
        from (
            select c.adjustment_id, c.invoice_id, a.amount_minor
            from adjustment_claims c join adjustments a on a.id = c.adjustment_id
        ) d
        full join (
            select l.adjustment_id, l.invoice_id, sum(l.amount_minor) as amount_minor
            from invoice_lines l join invoices i on i.id = l.invoice_id
            where l.adjustment_id is not null and i.credits_invoice_id is null
            group by l.adjustment_id, l.invoice_id
        ) b using (adjustment_id, invoice_id)
        where coalesce(d.amount_minor, 0) <> coalesce(b.amount_minor, 0) order by adjustment_id
        """
    ):
        proof.found(
            "adjustment_differs",
            to_wire("adj", adjustment_id),
            f"{decided_minor} minor units were decided and claimed, {billed_minor} are billed",
        )
    for (adjustment_id,) in uow.fetch_all(
        """
        select distinct a.id
        from invoice_lines l join invoices i on i.id = l.invoice_id join adjustments a on a.id = l.adjustment_id
        where (a.customer_id, a.currency) <> (i.customer_id, i.currency)
           or (a.subscription_id is not null
               and a.subscription_id is distinct from coalesce(l.subscription_id, i.subscription_id))
        order by a.id
        """
    ):
        proof.found("adjustment_differs", to_wire("adj", adjustment_id), "it is billed to somebody else")


def _check_payments(uow: UnitOfWork, proof: Proof) -> None:
    """Find payments that pay more than they are, or have no receipt."""
    _count(uow, proof, "payments")
    for payment_id, amount_minor, allocated_minor, has_receipt in uow.fetch_all(
        """
        select p.id, p.amount_minor, coalesce(a.amount_minor, 0)::bigint, r.payment_id is not null
        from payments p
        left join (select payment_id, sum(amount_minor) as amount_minor from allocations group by payment_id) a
            on a.payment_id = p.id
        left join receipts r on r.payment_id = p.id
        where coalesce(a.amount_minor, 0) > p.amount_minor or r.payment_id is null order by p.id
        """
    ):
        subject = to_wire("pay", payment_id)
        if allocated_minor > amount_minor:
            proof.found(
                "payment_exceeded",
                subject,
                f"{amount_minor} minor units came in, {allocated_minor} were paid with them",
            )
        if not has_receipt:
            proof.found("receipt_missing", subject, "there is no receipt")


_STATES: Final = """
    select i.id, i.series || '-' || i.number, coalesce(s.status, 'finalized'), i.due_minor,
           coalesce(s.due_minor, i.due_minor), coalesce(s.paid_minor, 0), coalesce(s.credited_minor, 0),
           coalesce(s.written_off_minor, 0),
           coalesce(a.paid_minor, 0)::bigint, coalesce(a.credited_minor, 0)::bigint,
           coalesce(w.amount_minor, 0)::bigint, (i.total_minor + coalesce(n.total_minor, 0))::bigint
    from invoices i
    left join document_states s on s.invoice_id = i.id
    left join (
        select invoice_id, sum(amount_minor) filter (where payment_id is not null) as paid_minor,
               sum(amount_minor) filter (where credit_note_id is not null) as credited_minor
        from allocations group by invoice_id
    ) a on a.invoice_id = i.id
    left join (select invoice_id, sum(amount_minor) as amount_minor from write_offs group by invoice_id) w
        on w.invoice_id = i.id
    left join (
        select credits_invoice_id, sum(total_minor) as total_minor from invoices
        where credits_invoice_id is not null group by credits_invoice_id
    ) n on n.credits_invoice_id = i.id
    where i.kind <> 'credit_note' and (s.invoice_id is not null or a.invoice_id is not null or w.invoice_id is not null
                                       or n.credits_invoice_id is not null)
    order by i.series, i.number
"""
"""Invoices that something has happened to, with what their state says and what allocations and write-offs do."""


def _check_states(uow: UnitOfWork, proof: Proof) -> None:
    for document_id, name, status, due_minor, *state, paid, credited, lost, left_minor in uow.fetch_all(_STATES):
        proof.checked["document states"] += 1
        subject = to_wire("inv", document_id)
        if state != [due_minor, paid, credited, lost]:
            proof.found(
                "document_state_differs",
                subject,
                f"{name}: its state says {state} minor units due, paid, credited and written off; "
                f"what happened gives {[due_minor, paid, credited, lost]}",
            )
        expected = _expected_status(status, due_minor, paid + credited, lost, left_minor)
        if status != expected:
            proof.found("document_state_differs", subject, f"{name} is {status}; what happened makes it {expected}")


def _expected_status(status: str, due_minor: int, discharged_minor: int, lost_minor: int, left_minor: int) -> str:
    """Return the status that follows from amounts. Void is decided, not derived: it stands if nothing is left."""
    if status == DocumentStatus.VOID and left_minor == 0 and discharged_minor == due_minor:
        return DocumentStatus.VOID.value
    if lost_minor:
        return DocumentStatus.UNCOLLECTIBLE.value
    is_paid = due_minor > 0 and discharged_minor == due_minor
    return DocumentStatus.PAID.value if is_paid else DocumentStatus.FINALIZED.value


def _check_waivers(uow: UnitOfWork, proof: Proof) -> None:
    """Find waivers that are not what their credit note gives back, and lines of one that nobody waived.

    The note of a void invoice may waive or not: what is not waived is billed anew. So is what a note takes back of
    lines that had given something back themselves, unless it is a cap's.
    """
    _count(uow, proof, "waivers")
    for credit_note_id, start, waived_minor, given_back_minor in uow.fetch_all(
        """
        select credit_note_id, period_start, coalesce(w.amount_minor, 0), coalesce(l.amount_minor, 0)::bigint
        from waivers w
        full join (
            select l.invoice_id as credit_note_id, l.item_id, l.charge_id, l.dimension, l.period_start, l.period_end,
                   -sum(l.amount_minor) as amount_minor, bool_or(s.status = 'void') as is_void
            from invoice_lines l
            join invoices n on n.id = l.invoice_id and n.credits_invoice_id is not null
            left join document_states s on s.invoice_id = n.credits_invoice_id
            where l.adjustment_id is null
            group by l.invoice_id, l.item_id, l.charge_id, l.dimension, l.period_start, l.period_end
        ) l using (credit_note_id, item_id, charge_id, dimension, period_start, period_end)
        where coalesce(w.amount_minor, 0) <> coalesce(l.amount_minor, 0)
          and not (w.id is null and (coalesce(l.is_void, false) or l.amount_minor < 0))
        order by credit_note_id, period_start
        """
    ):
        proof.found(
            "waiver_differs",
            to_wire("inv", credit_note_id),
            f"the period from {format_instant(start)}: {waived_minor} minor units are waived, "
            f"the credit note gives back {given_back_minor}",
        )


def _check_refunds(uow: UnitOfWork, proof: Proof) -> None:
    """Find credit notes that are settled by a refund which was not asked for in full."""
    for credit_note_id, noted_minor, asked_minor in uow.fetch_all(
        """
        select id, coalesce(n.total_minor, 0), coalesce(r.amount_minor, 0)
        from (
            select id, customer_id, currency, prepaid_minor - total_minor as total_minor
            from invoices where settles = 'refund'
        ) n
        full join (
            select credit_note_id as id, customer_id, currency, amount_minor
            from refund_requests where credit_note_id is not null
        ) r using (id, customer_id, currency)
        where coalesce(n.total_minor, 0) <> coalesce(r.amount_minor, 0) order by id
        """
    ):
        proof.found(
            "refund_differs",
            to_wire("inv", credit_note_id),
            f"{noted_minor} minor units are to be refunded, {asked_minor} were asked for",
        )


def _check_redemptions(uow: UnitOfWork, proof: Proof) -> None:
    """Find coupons and promotion codes whose counters are not what has been redeemed, in all and by each customer."""
    for prefix, object_id, counted, redeemed in uow.fetch_all(
        """
        with held as (select coupon_id, promotion_code_id, customer_id from redemptions where undone_at is null),
        redeemed as (
            select coupon_id as id, null::uuid as customer_id, count(*) as times from held group by coupon_id
            union all
            select promotion_code_id, null, count(*) from held where promotion_code_id is not null group by 1
            union all
            select coupon_id, customer_id, count(*) from held group by coupon_id, customer_id
        ), counted as (
            select 'cpn' as prefix, id, null::uuid as customer_id, redeemed as times from coupons
            union all
            select 'prm', id, null, redeemed from promotion_codes
            union all
            select 'cpn', coupon_id, customer_id, redeemed from coupon_customers
        )
        select coalesce(c.prefix, 'cpn'), coalesce(c.id, r.id) as id, coalesce(c.times, 0), coalesce(r.times, 0)
        from counted c full join redeemed r
            on r.id = c.id and coalesce(r.customer_id, r.id) = coalesce(c.customer_id, c.id)
        where coalesce(c.times, 0) <> coalesce(r.times, 0) order by id
        """
    ):
        proof.found(
            "redemption_differs", to_wire(prefix, object_id), f"{counted} redemptions are counted, {redeemed} were made"
        )
