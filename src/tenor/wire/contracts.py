"""Contracts as JSON."""

from collections.abc import Sequence
from typing import NotRequired

from typing_extensions import TypedDict

from tenor.kernel.ids import to_wire
from tenor.pricing import Contract, ContractStep, Difference
from tenor.wire.billing import PaymentTermsJson
from tenor.wire.forms import Instant, instant


class DifferenceJson(TypedDict):
    """One value that a step changes; `old` null: it was not there, `new` null: it is gone."""

    path: str
    old: str | None
    new: str | None


class ContractStepJson(TypedDict):
    """From its start on a private plan version holds; the first step begins with the subscription."""

    step: int
    after_months: int | None
    starts_at: Instant | None
    plan_version_id: str
    differences: NotRequired[list[DifferenceJson]]


class ContractJson(TypedDict):
    """One version of what is agreed with one customer apart from the price books."""

    id: str
    contract: str
    version: int
    customer_id: str
    plan: str
    name: str
    payment_terms: PaymentTermsJson | None
    po_number: str | None
    term_months: int | None
    agreed_at: Instant
    agreed_by: str
    reason: str
    steps: list[ContractStepJson]


def contract_json(contract: Contract, differences: Sequence[Sequence[Difference]] | None = None) -> ContractJson:
    """Return a contract; with what each step changes where that is given."""
    payment = contract.payment
    steps = [_step_json(step) for step in contract.steps]
    if differences is not None:
        for step, changed in zip(steps, differences, strict=True):
            step["differences"] = [DifferenceJson(path=one.path, old=one.old, new=one.new) for one in changed]
    return ContractJson(
        id=to_wire("ctr", contract.id),
        contract=contract.code,
        version=contract.version,
        customer_id=to_wire("cus", contract.customer_id),
        plan=contract.plan,
        name=contract.name,
        payment_terms=None if payment is None else PaymentTermsJson(kind=payment.kind, days=payment.days),
        po_number=contract.po_number,
        term_months=contract.term_months,
        agreed_at=instant(contract.agreed_at),
        agreed_by=contract.agreed_by,
        reason=contract.reason,
        steps=steps,
    )


def _step_json(step: ContractStep) -> ContractStepJson:
    return ContractStepJson(
        step=step.step_no,
        after_months=step.start.after_months,
        starts_at=instant(step.start.at),
        plan_version_id=to_wire("plv", step.plan_version_id),
    )
