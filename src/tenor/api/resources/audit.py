"""`/v1/audit-records`: who did what, to which object, when and why."""

from typing import Annotated

from fastapi import Query, Security
from starlette.responses import Response

from tenor.api.call import Call, Work, a_call
from tenor.api.pages import After, Limit, Page, keyed_page, place
from tenor.api.resource import resource
from tenor.events import object_from_wire
from tenor.platform.audit_chain import audit_records, chain_audit
from tenor.wire import AuditRecordJson, audit_record_json

router = resource("Audit records")
Reads = Annotated[Call, Security(a_call, scopes=["audit:read"])]


@router.get("/audit-records", response_model=Page[AuditRecordJson])
def list_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    of: Annotated[str | None, Query(alias="object", max_length=60, description="Id of one object.")] = None,
) -> Response:
    """List the records of the audit trail in the order of its chain, the oldest first."""

    def read(work: Work) -> Page[AuditRecordJson]:
        (position,) = place(after, int) or (0,)
        object_id = None if of is None else object_from_wire(of)
        found = audit_records(work.uow, after=position, limit=limit + 1, object_id=object_id)
        return keyed_page(found, limit=limit, key_of=lambda one: (one.position,), shown=audit_record_json)

    with call.transaction() as work:  # gives places to what has none yet, also where no relay runs
        chain_audit(work.uow)
    return call.show(read)
