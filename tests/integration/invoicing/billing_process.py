"""A process of its own that bills: says what it is about to do, line by line, and can be killed meanwhile.

    python -m tests.integration.invoicing.billing_process TENANT_ID AS_OF BATCH WORKERS

The database is the one that the environment names.
"""

import sys
from unittest.mock import patch
from uuid import UUID

from tenor.invoicing import BatchSummary, PlannedRun, bill
from tenor.invoicing.bill_run import plan, run
from tenor.invoicing.bill_run.batch import Batch
from tenor.invoicing.bill_run.stages import STAGES, Stage
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
    announced = tuple((name, _announced(name, stage)) for name, stage in STAGES)
    settings = Settings.from_environment()
    with (
        patch.object(plan, "BATCH_SUBSCRIPTIONS", int(batch_size)),
        patch.object(run, "STAGES", announced),
        Database.open(settings) as database,
    ):
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
