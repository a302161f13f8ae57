"""Ask the API everything that its document allows, and much that it does not: schemathesis against a server of its own.

python tools/fuzz_api.py [EXAMPLES]    # for each operation; 100 by default
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import httpx

from tenor.api import create_app
from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.settings import Settings
from tenor.platform.tenants import create_tenant
from tests.integration.api.things import furnished
from tests.support.api import PHASES, Caller, fuzzed, new_secret, served


def main(examples: int, phases: str) -> int:
    """Furnish a sandbox and fuzz its API; return the exit code of schemathesis, 0 when nothing was found."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        with Database.open(settings) as database:
            migrate(database)
            start = datetime(2026, 1, 1, tzinfo=UTC)
            tenant = create_tenant(database, slug="fuzz", name="Fuzz", is_sandbox=True, clock_at=start)
            secret = new_secret(database, tenant)
            with (
                served(create_app(database, settings, calls_per_minute=100_000_000)) as base,
                httpx.Client(base_url=base, timeout=60, trust_env=False) as client,
            ):
                furnished(Caller(client, secret))
                return fuzzed(base, secret, examples=examples, phases=phases, is_told=True)


if __name__ == "__main__":
    asked = [*sys.argv[1:], *("100", PHASES)[len(sys.argv) - 1 :]]
    raise SystemExit(main(int(asked[0]), asked[1]))
