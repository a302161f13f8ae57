"""How bill runs stand: reads for people who wait for one."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from tenor.kernel.errors import NotFound
from tenor.kernel.ids import BillRunId, to_wire
from tenor.platform.unit_of_work import UnitOfWork


class RunTotal(NamedTuple):
    """The documents of one kind and currency that a run has issued so far."""

    kind: str
    currency: str
    documents: int
    total_minor: int


class RunProgress(NamedTuple):
    """A run and how far it is. `parked` are the subscriptions that a rule refused to bill."""

    id: BillRunId
    as_of: datetime
    started_at: datetime
    finished_at: datetime | None
    planned_subscriptions: int
    done_subscriptions: int
    parked: int
    totals: tuple[RunTotal, ...]


class ParkedSubscription(NamedTuple):
    """A subscription that a run has parked, and why."""

    external_id: str
    reason: str


def list_runs(uow: UnitOfWork, *, limit: int, after: BillRunId | None = None) -> list[RunProgress]:
    """Return the runs by id, the newest first; those older than `after` where it is given."""
    rows = uow.fetch_all(
        """
        select id from bill_runs where %(after)s::uuid is null or id < %(after)s order by id desc limit %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return _progress(uow, [BillRunId(run_id) for (run_id,) in rows])


def find_run(uow: UnitOfWork, run_id: BillRunId) -> RunProgress:
    """Return a run and how far it is.

    Raises:
        NotFound: there is none with the id.
    """
    found = _progress(uow, [run_id])
    if not found:
        raise NotFound(f"there is no bill run {to_wire('run', run_id)}")
    return found[0]


def parked_subscriptions(uow: UnitOfWork, run_id: BillRunId) -> list[ParkedSubscription]:
    """Return what a run has parked, by the names of the subscriptions."""
    rows = uow.fetch_all(
        """
        select s.external_id, r.reason from bill_run_items r join subscriptions s on s.id = r.subscription_id
        where r.run_id = %s and r.outcome = 'parked' order by s.external_id
        """,
        [run_id],
    )
    return [ParkedSubscription(*row) for row in rows]


def _progress(uow: UnitOfWork, run_ids: Sequence[BillRunId]) -> list[RunProgress]:
    """Return these runs, the newest first; three statements however many."""
    ids = list(run_ids)
    totals: dict[BillRunId, list[RunTotal]] = {}
    for run_id, *total in uow.fetch_all(
        """
        select run_id, kind, currency, count(*), sum(total_minor)::bigint from invoices
        where run_id = any(%s) group by run_id, kind, currency order by run_id, kind, currency
        """,
        [ids],
    ):
        totals.setdefault(BillRunId(run_id), []).append(RunTotal(*total))
    rows = uow.fetch_all(
        """
        select r.id, r.as_of, r.started_at, r.finished_at, r.planned_subscriptions, coalesce(b.done, 0)::bigint,
               (select count(*) from bill_run_items i where i.run_id = r.id and i.outcome = 'parked')
        from bill_runs r
        left join (
            select run_id, sum(subscription_count) filter (where finished_at is not null) as done
            from bill_run_batches where run_id = any(%(ids)s) group by run_id
        ) b on b.run_id = r.id
        where r.id = any(%(ids)s) order by r.id desc
        """,
        {"ids": ids},
    )
    found = [(*row, tuple(totals.get(BillRunId(row[0]), ()))) for row in rows]
    return [RunProgress(*facts) for facts in found]
