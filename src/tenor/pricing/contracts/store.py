"""Rows of `contracts` and `contract_steps`."""

from collections.abc import Iterable
from datetime import UTC
from typing import Final

from tenor.kernel.ids import ContractId, CustomerId, PlanVersionId
from tenor.platform.unit_of_work import Row, UnitOfWork
from tenor.pricing.contracts.errors import ContractNotFound
from tenor.pricing.contracts.model import AgreedPayment, Contract, ContractStep, StepStart

_SELECT: Final = """
    select c.id, c.customer_id, c.code, c.version, v.plan, c.base_plan_version_id, c.name, c.payment_terms_kind,
           c.payment_terms_days, c.po_number, c.term_months, c.agreed_at, c.agreed_by, c.reason, c.source_digest,
           array(select s.plan_version_id from contract_steps s where s.contract_id = c.id order by s.step_no),
           array(select s.after_months from contract_steps s where s.contract_id = c.id order by s.step_no),
           array(select s.starts_at from contract_steps s where s.contract_id = c.id order by s.step_no)
    from contracts c
    join plan_versions v on v.id = c.base_plan_version_id
"""


def insert_contract(uow: UnitOfWork, contract: Contract) -> None:
    """Write a version of a contract; its plan versions must be there."""
    payment = contract.payment
    uow.execute(
        """
        insert into contracts
            (tenant_id, id, customer_id, code, version, base_plan_version_id, name, payment_terms_kind,
             payment_terms_days, po_number, term_months, source_digest, agreed_at, agreed_by, reason)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            uow.tenant_id,
            contract.id,
            contract.customer_id,
            contract.code,
            contract.version,
            contract.base_id,
            contract.name,
            payment.kind if payment else None,
            payment.days if payment else None,
            contract.po_number,
            contract.term_months,
            contract.source_digest,
            contract.agreed_at,
            contract.agreed_by,
            contract.reason,
        ],
    )
    uow.execute(
        """
        insert into contract_steps (tenant_id, contract_id, step_no, after_months, starts_at, plan_version_id)
        select %s, %s, * from unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::uuid[])
        """,
        [
            uow.tenant_id,
            contract.id,
            [step.step_no for step in contract.steps],
            [step.start.after_months for step in contract.steps],
            [step.start.at for step in contract.steps],
            [step.plan_version_id for step in contract.steps],
        ],
    )


def all_contracts(
    uow: UnitOfWork,
    *,
    customer_id: CustomerId | None = None,
    after: tuple[str, int] = ("", 0),
    limit: int | None = None,
) -> list[Contract]:
    """Return all versions of all contracts, of one customer if named: by code, the newest version first.

    Those after a code and version, and no more than `limit` where it is given.
    """
    code, version = after
    rows = uow.fetch_all(
        f"""
        {_SELECT}
        where (%(customer)s::uuid is null or c.customer_id = %(customer)s)
          and (c.code, -c.version) > (%(code)s, -%(version)s::integer)
        order by c.code, c.version desc limit %(limit)s
        """,
        {"customer": customer_id, "code": code, "version": version, "limit": limit},
    )
    return [_contract(row) for row in rows]


def find_contract(uow: UnitOfWork, code: str, *, version: int | None = None) -> Contract:
    """Return a version of a contract; None is the newest.

    Raises:
        ContractNotFound: there is none.
    """
    contract = contract_by_code(uow, code, version=version)
    if contract is None:
        which = f"contract {code!r}" if version is None else f"version {version} of contract {code!r}"
        raise ContractNotFound(f"there is no {which}", contract=code, version=version)
    return contract


def contract_by_code(uow: UnitOfWork, code: str, *, version: int | None = None) -> Contract | None:
    """Return a version of a contract, None is the newest; None when there is none."""
    row = uow.fetch_one(
        f"{_SELECT} where c.code = %s and c.version = coalesce(%s, c.version) order by c.version desc limit 1",
        [code, version],
    )
    return None if row is None else _contract(row)


def newest_from_file(uow: UnitOfWork, customer_id: CustomerId, source_digest: bytes) -> Contract | None:
    """Return the contract of a customer whose newest version was read from a file with this digest."""
    row = uow.fetch_one(
        f"""
        {_SELECT} where c.customer_id = %s and c.source_digest = %s
        and not exists (select from contracts later where later.code = c.code and later.version > c.version)
        """,
        [customer_id, source_digest],
    )
    return None if row is None else _contract(row)


def contracts_behind(uow: UnitOfWork, ids: Iterable[PlanVersionId]) -> dict[PlanVersionId, Contract]:
    """Return the contract of each of these plan versions that is a private edition, in one statement."""
    wanted = frozenset(ids)
    rows = uow.fetch_all(
        f"""
        {_SELECT} where c.id in (select s.contract_id from contract_steps s where s.plan_version_id = any(%s))
        """,
        [list(wanted)],
    )
    return {
        step.plan_version_id: contract
        for contract in map(_contract, rows)
        for step in contract.steps
        if step.plan_version_id in wanted
    }


def last_private_version(uow: UnitOfWork, plan: str, customer_id: CustomerId) -> int:
    """Return the number of the newest edition of a plan for one customer; 0 when there is none."""
    row = uow.fetch_one(
        "select coalesce(max(version), 0) from plan_versions where plan = %s and customer_id = %s", [plan, customer_id]
    )
    return int(row[0]) if row else 0


def _contract(row: Row) -> Contract:
    *head, kind, days, po_number, term_months, agreed_at, agreed_by, reason, digest, versions, months, instants = row
    contract_id, customer_id, code, version, plan, base_id, name = head
    starts = [StepStart(after, at and at.astimezone(UTC)) for after, at in zip(months, instants, strict=True)]
    return Contract(
        id=ContractId(contract_id),
        customer_id=CustomerId(customer_id),
        code=code,
        version=version,
        plan=plan,
        base_id=PlanVersionId(base_id),
        name=name,
        payment=AgreedPayment(kind, days) if kind else None,
        po_number=po_number,
        term_months=term_months,
        agreed_at=agreed_at.astimezone(UTC),
        agreed_by=agreed_by,
        reason=reason,
        source_digest=digest,
        steps=tuple(
            ContractStep(step_no, start, PlanVersionId(plan_version_id))
            for step_no, (start, plan_version_id) in enumerate(zip(starts, versions, strict=True), start=1)
        ),
    )
