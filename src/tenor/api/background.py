"""Bill runs that go on after the call that started them."""

from concurrent.futures import ThreadPoolExecutor

from tenor.api.logs import LOG
from tenor.invoicing import bill, list_runs
from tenor.kernel.ids import TenantId, to_wire
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.platform.tenants import current_tenant, set_clock


class BackgroundRuns:
    """Carries out planned runs, one at a time in this process.

    Nothing is lost where the process ends meanwhile: the run stays unfinished, and whoever bills the tenant next
    (a call, the command line) goes on with it.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bill-run")

    def carry_on(self, tenant_id: TenantId) -> None:
        """Have the unfinished run of a tenant finished, if there is one."""
        self._pool.submit(self._carry_on, tenant_id)

    def close(self) -> None:
        """Wait for the run that is in work; leave the others for later."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _carry_on(self, tenant_id: TenantId) -> None:
        try:
            self._finish(tenant_id)
        except Exception:  # noqa: BLE001  nobody waits for it: the run stays open, and the log says why
            LOG.exception("bill run failed", tenant=to_wire("ten", tenant_id))

    def _finish(self, tenant_id: TenantId) -> None:
        with self._database.transaction(tenant_id) as uow:
            unfinished = [run for run in list_runs(uow, limit=10) if run.finished_at is None]
            tenant = current_tenant(uow)
        for run in unfinished:
            bill(self._database, self._settings, tenant_id, as_of=run.as_of, actor="api")
            if tenant.clock_at is not None and run.as_of > tenant.clock_at:
                set_clock(self._database, tenant_id, run.as_of)
