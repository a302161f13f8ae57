"""Contracts: what is agreed with one customer apart from the price books, frozen for ever."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from tenor.kernel.ids import ContractId, CustomerId, PlanVersionId
from tenor.pricing.definition import Definition, PlanVersionRecord

PaymentTermsKind = Literal["net", "end_of_month"]
"""From when the days to pay are counted: the day of issue, or the last day of its month."""


class AgreedPayment(NamedTuple):
    """Payment terms: so many days after the day of issue, or after the end of its month."""

    kind: PaymentTermsKind
    days: int


class StepStart(NamedTuple):
    """When a step of a ramp begins: so many months after the first billable instant, or at an instant.

    The first step has neither: it begins with the subscription.
    """

    after_months: int | None = None
    at: datetime | None = None


class StepDraft(NamedTuple):
    """A step as a contract file states it: when it begins, and the whole definition that then holds."""

    start: StepStart
    definition: Definition


@dataclass(frozen=True, slots=True)
class ContractDraft:
    """What a contract file says, every step complete, departing from `base`."""

    code: str
    base: PlanVersionRecord
    name: str
    payment: AgreedPayment | None
    po_number: str | None
    term_months: int | None
    steps: tuple[StepDraft, ...]


class ContractStep(NamedTuple):
    """A step of a ramp: from its start on the private plan version holds. `step_no` counts from 1."""

    step_no: int
    start: StepStart
    plan_version_id: PlanVersionId


@dataclass(frozen=True, slots=True)
class Contract:
    """One version of a contract: private editions of `plan`, one for each step of its ramp, for one customer alone.

    An amendment is the next version under the same code; a version never changes. `base_id` is the edition of the
    plan that it departs from. `term_months` is how long it
    runs from the first billable instant, None without an end. Payment terms and purchase order are data for
    whoever writes the documents. `source_digest` is the SHA-256 of the file.
    """

    id: ContractId
    customer_id: CustomerId
    code: str
    version: int
    plan: str
    base_id: PlanVersionId
    name: str
    payment: AgreedPayment | None
    po_number: str | None
    term_months: int | None
    agreed_at: datetime
    agreed_by: str
    reason: str
    source_digest: bytes
    steps: tuple[ContractStep, ...]
