"""What every command needs before it can begin: the settings, the database, the tenant and its time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from tenor.kernel.closest import did_you_mean
from tenor.kernel.errors import NotFound
from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.settings import Settings
from tenor.platform.tenants import Tenant, find_tenant, list_tenants
from tenor.subscribers import SUBSCRIBERS


@dataclass(frozen=True, slots=True)
class Session:
    """An open database with its settings."""

    settings: Settings
    database: Database

    def tenant(self, slug: str) -> Tenant:
        """Return the tenant with this slug; refuse an unknown one, and say which may have been meant."""
        try:
            return find_tenant(self.database, slug)
        except NotFound as refusal:
            known = [tenant.slug for tenant in list_tenants(self.database)]
            meant = did_you_mean(slug, known) if known else "; `tenor tenant create` makes one"
            raise NotFound(f"{refusal.message}{meant}", slug=slug) from None


@contextmanager
def session() -> Iterator[Session]:
    """Open the database that the environment names, or the embedded one, with every migration applied."""
    settings = Settings.from_environment()
    with Database.open(settings, subscribers=SUBSCRIBERS) as database:
        migrate(database)
        yield Session(settings, database)


def tenant_now(tenant: Tenant) -> datetime:
    """Return the tenant's time: a sandbox's own clock where it has one, else the wall clock."""
    return tenant.clock_at or datetime.now(UTC)
