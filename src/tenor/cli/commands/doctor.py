"""`tenor doctor`: is everything as it must be?"""

from collections.abc import Callable

from tenor.cli.output import ExitCode, JsonOption, counted, out, print_json, stop
from tenor.kernel.errors import Refusal
from tenor.platform.database import Database
from tenor.platform.migrate import migrate
from tenor.platform.settings import Settings
from tenor.platform.tenants import list_tenants

Check = tuple[str, Callable[[Database], str]]


def _tenants(database: Database) -> str:
    return counted(len(list_tenants(database)), "tenant")


def _migrations(database: Database) -> str:
    applied = migrate(database)
    return f"{len(applied)} applied now" if applied else "all applied"


CHECKS: tuple[Check, ...] = (
    ("database", lambda database: database.description),
    ("migrations", _migrations),
    ("tenants", _tenants),
)


def doctor(*, as_json: JsonOption = False) -> None:
    """Check the installation: settings, server, roles, migrations. Ends with 3 when something is wrong."""
    results = []
    try:
        settings = Settings.from_environment()
        results.append(("data directory", str(settings.data_dir), True))
        with Database.open(settings) as database:
            for name, check in CHECKS:
                results.append((name, check(database), True))
    except Refusal as refusal:
        results.append((refusal.code, refusal.message, False))
    is_well = all(ok for _, _, ok in results)
    if as_json:
        print_json(
            {"is_well": is_well, "checks": [{"name": name, "says": says, "ok": ok} for name, says, ok in results]}
        )
    else:
        for name, says, ok in results:
            out.print("[green]ok[/]   " if ok else "[red]wrong[/]", end=" ")
            out.print(f"{name}: {says}", markup=False)
    if not is_well:
        raise stop(ExitCode.FAILED)
