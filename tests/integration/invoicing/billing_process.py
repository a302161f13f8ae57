"""A process of its own that bills: says what it is about to do, line by line, and can be killed meanwhile.

    python -m tests.integration.invoicing.billing_process TENANT_ID AS_OF BATCH WORKERS

The database is the one that the environment names.
"""

import sys
from uuid import UUID

from tenor.invoicing import BatchSummary, PlannedRun, bill
from tenor.invoicing.bill_run import plan, stages
from tenor.invoicing.bill_run import run as bill_run
from tenor.invoicing.bill_run.stages import Batch, Stage
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.platform.unit_of_work import UnitOfWork
from tests.support.company import instant


def _announced(name: str, stage: Stage) -> Stage:
    def announcing(uow: UnitOfWork, batch: Batch) -> None:
        print(f"{batch.number} {name}", flush=True)
        stage(uow, batch)

    return announcing


def _progress(_run: PlannedRun, done: BatchSummary) -> None:
    print(f"done {done.batches}", flush=True)


if __name__ == "__main__":
    tenant, as_of, batch_size, workers = sys.argv[1:]
    plan.BATCH_SUBSCRIPTIONS = int(batch_size)  # type: ignore[misc]  # as the tests patch it in their own process
    bill_run.STAGES = tuple((name, _announced(name, stage)) for name, stage in stages.STAGES)  # type: ignore[misc]
    settings = Settings.from_environment()
    with Database.open(settings) as database:
        bill(
            database,
            settings,
            TenantId(UUID(tenant)),
            as_of=instant(as_of),
            actor="process",
            workers=int(workers),
            on_progress=_progress,
        )
    print("finished", flush=True)
