"""`/v1/clock`: the time of the tenant, and for a sandbox the way through it."""

from datetime import datetime
from time import monotonic
from typing import Annotated, Final

from fastapi import Security
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, InstantIn
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.resource import resource
from tenor.invoicing import BillRunReport, bill
from tenor.kernel.errors import Malformed
from tenor.kernel.period import format_instant
from tenor.platform.tenants import NotASandbox, require_reached, set_clock
from tenor.subscriptions import next_instant_of_calendar
from tenor.wire import RunReportJson, report_json

router = resource("Clock")
Reads = Annotated[Call, Security(a_call, scopes=["clock:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["clock:write"])]

SECONDS_MAX: Final = 5
"""How long one call is on its way before it answers how far it has come; a farther way takes several calls."""


class Advance(Body):
    """Where to move the clock."""

    to: InstantIn


class ClockJson(TypedDict):
    """The time of the tenant; only a sandbox's can be moved."""

    now: str
    is_sandbox: bool


class AdvancedJson(ClockJson):
    """Where the clock stands, and what was billed on the way; `is_there` false: call again to go on."""

    is_there: bool
    runs: list[RunReportJson]


@router.get("/clock", response_model=ClockJson)
def retrieve(call: Reads) -> Response:
    """Return the time of the tenant."""
    return call.show(lambda work: ClockJson(now=format_instant(work.now), is_sandbox=work.tenant.is_sandbox))


@router.post("/clock/advance", response_model=AdvancedJson)
def advance(call: Writes, body: Advance) -> Response:
    """Move a sandbox through time: whatever falls due on the way happens in its order, each at its own instant.

    What has been done stays done where the call is broken off; called again it goes on from there.
    """

    def stop(work: Work, at: datetime) -> list[BillRunReport]:
        """Bill what is due at an instant, and let the clock stand there."""
        engine, tenant_id = call.engine, work.uow.tenant_id
        runs = bill(engine.database, engine.settings, tenant_id, as_of=at, actor=work.actor)
        set_clock(engine.database, tenant_id, at)
        return runs

    def make(work: Work) -> AdvancedJson:
        if not work.tenant.is_sandbox:
            raise NotASandbox(f"{work.tenant.slug!r} is no sandbox: its time is that of the world")
        if body.to < work.now:
            raise Malformed(f"/to: the clock stands at {format_instant(work.now)} and only moves forward")
        require_reached(work.tenant, body.to, wall_now=work.wall_now)
        now, deadline = work.now, monotonic() + SECONDS_MAX
        runs = stop(work, now)  # what is due already belongs to where the clock stands
        while now < body.to and monotonic() < deadline:
            now = _next_stop(work, now, body.to)
            runs += stop(work, now)
        return AdvancedJson(
            now=format_instant(now),
            is_sandbox=True,
            is_there=now == body.to,
            runs=[report_json(run) for run in runs if run.document_count or run.done.parked],
        )

    return call.once(make)


def _next_stop(work: Work, now: datetime, to: datetime) -> datetime:
    """Return the next instant of the way at which something is due, at the latest its end."""
    due = next_instant_of_calendar(work.uow, after=now)
    return to if due is None else min(due, to)
