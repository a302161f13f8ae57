"""Plan a bill run: which subscriptions are due, cut into batches that workers take one by one."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from tenor.invoicing.billing_settings import consolidation
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import BillRunId, derived_id
from tenor.kernel.period import Period, format_instant
from tenor.ledger import open_accounts
from tenor.platform.partitions import prepare_partitions
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import billed_currencies, due_batches, group_positions

BATCH_SUBSCRIPTIONS: Final = 1_000
"""Subscriptions in one batch, which is one transaction: round trips are the cost, not commits."""


class RunInThePast(Refusal):
    """A bill run as of an instant before one that has been billed already."""

    code = "run_in_the_past"


class PlannedRun(NamedTuple):
    """A bill run with its batches. `is_resumed`: it had been begun before and was not finished."""

    id: BillRunId
    as_of: datetime
    started_at: datetime
    subscription_count: int
    batch_count: int
    is_resumed: bool


def open_or_plan_run(uow: UnitOfWork, *, as_of: datetime, now: datetime) -> PlannedRun:
    """Return the tenant's unfinished run if there is one, else plan a run of all that is due at `as_of`.

    Two callers at once get the same run: only one unfinished run can exist for a tenant. The ids
    derive from the tenant, the instant and the number of runs before, so that they repeat.
    `now` is the recorded time.

    Raises:
        RunInThePast: a finished run was as of a later instant than `as_of`.
    """
    uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"bill run {uow.tenant_id}"])
    unfinished = uow.fetch_one(
        "select id, as_of, started_at, planned_subscriptions, planned_batches from bill_runs where finished_at is null"
    )
    if unfinished:
        run_id, run_as_of, started_at, subscriptions, batches = unfinished
        return PlannedRun(run_id, run_as_of, started_at, subscriptions, batches, is_resumed=True)
    count, newest = uow.fetch_one("select count(*), max(as_of) from bill_runs") or (0, None)
    if newest is not None and newest > as_of:
        raise RunInThePast(
            f"the run of {format_instant(newest)} has billed beyond {format_instant(as_of)}; "
            "what was missed before it is billed by the next run"
        )
    # Opened here, where nobody waits for a turn: two batches that open the same accounts would wait for each other.
    open_accounts(uow, billed_currencies(uow))
    grouped = consolidation(uow)
    if grouped is not None:
        together, exceptions = grouped
        group_positions(uow, together=together, but=exceptions)
    run_id = BillRunId(derived_id(as_of, uow.tenant_id.bytes, str(count).encode()))
    planned = due_batches(uow, as_of, size=BATCH_SUBSCRIPTIONS)
    subscription_count = sum(batch.subscription_count for batch in planned)
    uow.execute(
        "insert into bill_runs (tenant_id, id, as_of, started_at, planned_subscriptions, planned_batches)"
        " values (%s, %s, %s, %s, %s, %s)",
        [uow.tenant_id, run_id, as_of, now, subscription_count, len(planned)],
    )
    uow.execute(
        """
        insert into bill_run_batches (tenant_id, run_id, first_subscription_id, last_subscription_id,
                                      subscription_count, batch_no)
        select %s, %s, * from unnest(%s::uuid[], %s::uuid[], %s::bigint[]) with ordinality
        """,
        [
            uow.tenant_id,
            run_id,
            [batch.first for batch in planned],
            [batch.last for batch in planned],
            [batch.subscription_count for batch in planned],
        ],
    )
    for table, instant in (("invoice_lines", as_of), ("transfers", as_of), ("outbox_events", now)):
        prepare_partitions(uow, table, Period(instant, instant + timedelta(days=1)))
    return PlannedRun(run_id, as_of, now, subscription_count, len(planned), is_resumed=False)


def is_batch_open(uow: UnitOfWork, run: PlannedRun) -> bool:
    """Return whether a batch of the run waits to be done; wait for the one in work, which may yet fail."""
    row = uow.fetch_one(
        "select batch_no from bill_run_batches where run_id = %s and finished_at is null"
        " order by batch_no limit 1 for share",
        [run.id],
    )
    return row is not None


def finish_run(uow: UnitOfWork, run: PlannedRun, *, now: datetime) -> bool:
    """Mark the run as finished; return whether this call did it. Nothing happens while one of its batches is open."""
    return bool(
        uow.execute(
            """
            update bill_runs set finished_at = %s
            where id = %s and finished_at is null and not exists (
                select 1 from bill_run_batches b where b.run_id = bill_runs.id and b.finished_at is null)
            """,
            [now, run.id],
        )
    )
