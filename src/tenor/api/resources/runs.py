"""`/v1/bill-runs`: bill what is due. A run goes on after the call that starts it; look how far it is."""

from typing import Annotated

from fastapi import Path, Security
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, InstantIn
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, cursor, page, whole
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.invoicing import find_run, list_runs, parked_subscriptions, plan_run
from tenor.kernel.ids import BillRunId
from tenor.platform.tenants import require_reached
from tenor.wire import RunJson, run_json

router = resource("Bill runs")
Reads = Annotated[Call, Security(a_call, scopes=["runs:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["runs:write"])]
RunRef = Annotated[str, Path(max_length=60, description="Id (`run_…`).")]


class NewRun(Body):
    """As of when to bill; now by default. Only a sandbox can be billed ahead of its time."""

    as_of: InstantIn | None = None


class ParkedJson(TypedDict):
    """A subscription that a rule refused to bill, and why: a person must look at it."""

    subscription: str
    reason: str


@router.post("/bill-runs", status_code=202, response_model=RunJson)
def start(call: Writes, body: NewRun) -> Response:
    """Start a bill run, or find the one that is not finished. Repeat it at will: nothing is billed twice."""

    def make(work: Work) -> RunJson:
        as_of = body.as_of or work.now
        require_reached(work.tenant, as_of, wall_now=work.wall_now)
        run = plan_run(work.uow, as_of=as_of, now=work.wall_now)
        return run_json(find_run(work.uow, run.id))

    answer = call.once(make, status=202)
    call.engine.runs.carry_on(call.credential.tenant_id)
    return answer


@router.get("/bill-runs", response_model=Page[RunJson])
def list_(call: Reads, limit: Limit = 20, after: After = None) -> Response:
    """List bill runs, the newest first."""

    def read(work: Work) -> Page[RunJson]:
        since = cursor("run", after)
        found = list_runs(work.uow, limit=limit + 1, after=None if since is None else BillRunId(since))
        return page(found, "run", limit=limit, id_of=lambda one: one.id, shown=run_json)

    return call.show(read)


@router.get("/bill-runs/{run}", response_model=RunJson)
def retrieve(call: Reads, run: RunRef) -> Response:
    """Return how far a bill run is."""
    return call.show(lambda work: run_json(find_run(work.uow, BillRunId(id_in_path("run", run)))))


@router.get("/bill-runs/{run}/parked", response_model=Page[ParkedJson])
def list_parked(call: Reads, run: RunRef) -> Response:
    """List what a bill run has parked."""

    def read(work: Work) -> Page[ParkedJson]:
        held = find_run(work.uow, BillRunId(id_in_path("run", run)))
        found = parked_subscriptions(work.uow, held.id)
        return whole(ParkedJson(subscription=one.external_id, reason=one.reason) for one in found)

    return call.show(read)
