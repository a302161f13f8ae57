"""Agree a contract: read the file, write its private editions, tell it; all in one transaction."""

from datetime import datetime
from hashlib import sha256

from tenor.catalog import features_by_code, metrics_by_code
from tenor.customers import customer_timezones
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import ContractId, CustomerId, PlanVersionId, derived_id, to_wire
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.pricing.contracts.errors import ContractOfAnother
from tenor.pricing.contracts.model import Contract, ContractDraft, ContractStep
from tenor.pricing.contracts.reading import Catalogue, read_contract
from tenor.pricing.contracts.store import (
    contract_by_code,
    insert_contract,
    last_private_version,
    newest_from_file,
)
from tenor.pricing.definition import PlanVersionRecord
from tenor.pricing.price_book.store import lock_catalogue, write_plan_versions
from tenor.pricing.store import plan_records_sold


def agree_contract(
    uow: UnitOfWork, source: bytes, *, customer_id: CustomerId, now: datetime, actor: str, reason: str
) -> Contract:
    """Write what a contract file (YAML or JSON) says as the newest version of its contract; return it.

    It departs from the plan as that is sold at `now`. The file of the newest version again writes nothing and
    returns that version: what was agreed does not move when the plan does. Subscriptions keep the version that
    they walk.

    Raises:
        MalformedContract: with every problem of the file; nothing was written.
        NotFound: there is no such customer.
        ContractOfAnother: the code is that of another customer's contract.
    """
    lock_catalogue(uow)
    if not customer_timezones(uow, [customer_id]):
        raise NotFound(f"there is no customer {to_wire('cus', customer_id)}", customer_id=to_wire("cus", customer_id))
    source_digest = sha256(source).digest()
    agreed_already = newest_from_file(uow, customer_id, source_digest)
    if agreed_already is not None:
        return agreed_already
    draft = read_contract(source, _catalogue(uow, now))
    newest = contract_by_code(uow, draft.code)
    if newest is not None and newest.customer_id != customer_id:
        raise ContractOfAnother(f"the contract {draft.code!r} is another customer's", contract=draft.code)
    version = newest.version + 1 if newest else 1
    contract_id = ContractId(
        derived_id(now, uow.tenant_id.bytes, b"contract", draft.code.encode(), version.to_bytes(8))
    )
    editions = _private_editions(uow, draft, contract_id, customer_id=customer_id, now=now)
    contract = Contract(
        id=contract_id,
        customer_id=customer_id,
        code=draft.code,
        version=version,
        plan=draft.base.plan,
        base_id=draft.base.id,
        name=draft.name,
        payment=draft.payment,
        po_number=draft.po_number,
        term_months=draft.term_months,
        agreed_at=now,
        agreed_by=actor,
        reason=reason,
        source_digest=source_digest,
        steps=tuple(
            ContractStep(step_no, step.start, edition.id)
            for step_no, (step, edition) in enumerate(zip(draft.steps, editions, strict=True), start=1)
        ),
    )
    write_plan_versions(uow, editions)
    insert_contract(uow, contract)
    _tell(uow, contract)
    return contract


def _catalogue(uow: UnitOfWork, now: datetime) -> Catalogue:
    return Catalogue(
        plans=plan_records_sold(uow, now),
        metrics=frozenset(metrics_by_code(uow)),
        features=frozenset(features_by_code(uow)),
    )


def _private_editions(
    uow: UnitOfWork, draft: ContractDraft, contract_id: ContractId, *, customer_id: CustomerId, now: datetime
) -> list[PlanVersionRecord]:
    """Return the editions of the plan for this customer alone, one for each step."""
    last = last_private_version(uow, draft.base.plan, customer_id)
    return [
        draft.base._replace(
            id=PlanVersionId(derived_id(now, contract_id.bytes, b"step", step_no.to_bytes(8))),
            version=last + step_no,
            name=draft.name,
            effective_at=now,
            definition=step.definition,
            customer_id=customer_id,
        )
        for step_no, step in enumerate(draft.steps, start=1)
    ]


def _tell(uow: UnitOfWork, contract: Contract) -> None:
    after = {
        "contract": contract.code,
        "version": contract.version,
        "customer_id": to_wire("cus", contract.customer_id),
        "plan": contract.plan,
        "plan_versions": [to_wire("plv", step.plan_version_id) for step in contract.steps],
    }
    record(
        uow,
        [
            Deed(
                actor=contract.agreed_by,
                action="contract.agree",
                object_type="contract",
                object_id=contract.id,
                reason=contract.reason,
                occurred_at=contract.agreed_at,
                before={"version": contract.version - 1} if contract.version > 1 else None,
                after=after,
            )
        ],
    )
    publish(uow, [Event("contract.agreed", contract.id, after, contract.agreed_at)])
