"""The command line in this process, against a database of the test server.

`shop` is a company that has sold, metered and billed. All tests of a file share it: each of them asks for something
that is refused, and shows that not a row has changed.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any, LiteralString
from unittest.mock import patch

import pytest
from psycopg import sql

from tenor.cli import main, output
from tests.support.postgres import Server

BOOK = """\
price_book: acme
currency: USD
tax_mode: exclusive
effective: 2026-01-01T00:00:00Z
products:
  - {code: app, name: Acme App}
metrics:
  - {code: calls, name: Calls, aggregation: count}
  - {code: tokens, name: Tokens, aggregation: sum, field: n}
plans:
  - code: team
    name: Team
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 20.00}
      - {code: seats, name: Seats, kind: seat, unit_amount: 8.00, quantity: 3}
      - {code: calls, name: API calls, kind: usage, metric: calls, unit_amount: 0.50}
      - {code: tokens, name: Tokens, kind: usage, metric: tokens, unit_amount: 0.01}
  - code: solo
    name: Solo
    product: app
    interval: month
    charges:
      - {code: base, name: Base fee, kind: recurring, amount: 9.00}
"""
USAGE_HEADER = "event_id,customer,metric,occurred_at,value\n"
USAGE = USAGE_HEADER + "c-1,globex,calls,2026-01-05T09:00:00Z,\nt-1,globex,tokens,2026-01-06T09:00:00Z,150\n"


@dataclass(frozen=True, slots=True)
class Ran:
    """What one call of the command line came to."""

    exit_code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        body = json.loads(self.out)
        assert isinstance(body, dict)
        return body


@dataclass(frozen=True, slots=True)
class Shell:
    """Calls `tenor` with the settings of one database, and looks at what is in it."""

    server: Server
    database: str
    folder: Path

    def __call__(self, *words: object) -> Ran:
        """Run `tenor` with these words."""
        with patch.dict(os.environ, self.environment | {"COLUMNS": "200"}):
            return run(*words)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead `tenor` to the database."""
        settings = self.server.settings(self.database)
        return {
            "TENOR_DATABASE_URL": settings.database_url or "",
            "TENOR_APP_DATABASE_URL": settings.app_database_url or "",
            "TENOR_AUDITOR_DATABASE_URL": settings.auditor_database_url or "",
        }

    def done(self, *words: object) -> Ran:
        """Run `tenor` and insist that it ends well, with nothing on stderr."""
        ran = self(*words)
        assert (ran.exit_code, ran.err) == (0, ""), f"tenor {words}: {ran}"
        return ran

    def refused(self, *words: object, code: str, says: str = "", exit_code: int = 2) -> dict[str, Any]:
        """Insist that `tenor` refuses these words, in text and in JSON, and that nothing is written.

        `says` must be in the message. Returns the error as JSON.
        """
        before = self.contents()
        told, as_json = self(*words), self(*words, "--json")
        error: dict[str, Any] = as_json.json["error"]
        assert (told.exit_code, as_json.exit_code) == (exit_code, exit_code)
        assert (told.out, as_json.err) == ("", "")
        assert error["code"] == code
        assert says in error["message"]
        assert (
            error["message"].split()
            == told.err.removeprefix("Refused: ").removeprefix("Failed: ").split()[: len(error["message"].split())]
        )
        assert f"({code};" in told.err
        assert "Traceback" not in told.err
        assert self.contents() == before
        return error

    def contents(self) -> dict[str, tuple[int, int]]:
        """Return number and hash of the rows of every table, of all tenants."""
        with self.server.superuser(self.database) as connection:
            tables = connection.execute(
                "select relname from pg_class"
                " where relnamespace = 'tenor'::regnamespace and relkind in ('r', 'p') and not relispartition"
            ).fetchall()
            one = sql.SQL("select {}::text, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from tenor.{} t")
            query = sql.SQL(" union all ").join(one.format(name, sql.Identifier(name)) for (name,) in tables)
            return {name: (count, hashed) for name, count, hashed in connection.execute(query)}

    def tamper(self, table: LiteralString, change: LiteralString) -> None:
        """Update a table past the triggers that keep it as it was."""
        with self.server.superuser(self.database) as connection:
            connection.execute(f"alter table tenor.{table} disable trigger all")
            connection.execute(f"update tenor.{table} set {change}")

    def file(self, name: str, content: str | bytes) -> Path:
        """Write a file for a command to read."""
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


def run(*words: object) -> Ran:
    """Run `tenor` in this process, as its console script does."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
    return Ran(int(code), out.getvalue(), err.getvalue())


@contextmanager
def opened_shell(server: Server, template: str, folder: Path) -> Iterator[Shell]:
    """Yield a shell with a fresh database."""
    with server.fresh_database(template) as name:
        yield Shell(server, name, folder)


@pytest.fixture(autouse=True, scope="session")
def wide() -> None:
    """Tables have room: a console keeps the width that the process of the tests was started with."""
    for console in (output.out, output.err):
        console.width = 200


@pytest.fixture
def tenor(server: Server, template: str, tmp_path: Path) -> Iterator[Shell]:
    """The command line on a fresh database of this test's own."""
    with opened_shell(server, template, tmp_path) as shell:
        yield shell


@pytest.fixture(scope="module")
def shop(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """The command line on a database in which acme, a sandbox, has sold, metered and billed; `real` is no sandbox."""
    with opened_shell(server, template, tmp_path_factory.mktemp("shop")) as shell:
        open_shop(shell)
        yield shell


def open_shop(shell: Shell) -> None:
    """Sell, meter and bill: 60.00 + 20 % for January, then February with the usage and 3 seats more from the 16th."""
    shell.done("tenant", "create", "real")
    shell.done("tenant", "create", "acme", "--sandbox", "--clock", "2026-01-01T00:00:00Z")
    acme = ("-t", "acme")
    shell.done("catalog", "apply", shell.file("acme.yaml", BOOK), *acme)
    shell.done("customer", "add", "globex", "--name", "Globex Corp.", "--tax-percent", "20", *acme)
    shell.done("subscription", "create", "globex-1", "--customer", "globex", "--plan", "team", "-q", "seats=5", *acme)
    shell.done("bill", *acme)
    change = ("-q", "seats=8", "--effective", "2026-01-16T00:00:00Z")
    shell.done("subscription", "change-quantity", "globex-1", *change, *acme)
    shell.done("bill", "--as-of", "2026-02-01T00:00:00Z", *acme)
    shell.done("usage", "import", shell.file("usage.csv", USAGE), *acme)
