"""What the log of the API tells of an error: its kind and place, never its words, which may repeat what was sent."""

import json
from types import SimpleNamespace

import psycopg
import pytest

from tenor.api import app
from tenor.api.logs import _error_without_its_words
from tenor.platform import database
from tests.integration.api.conftest import World
from tests.support.api import refused

PERSON = "canary@nightingale.example"


def read_as_number(world: World) -> None:
    """Have the database refuse a text, in words that repeat it, and fail over that."""
    try:
        with world.database.transaction(world.tenant()) as uow:
            uow.execute("select %s::text::integer", [PERSON])
    except psycopg.Error as error:
        raise ValueError(f"no number: {error}") from error


def test_what_kept_the_database_busy_is_in_the_log_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, object]] = []
    monkeypatch.setattr(app, "LOG", SimpleNamespace(warning=lambda _, **line: told.append(line)))
    monkeypatch.setattr(database, "LOCK_SECONDS_MAX", 1)
    tenant = world.tenant()
    caller = world.caller(tenant)
    caller.made("/customers", {"external_id": "acme"})
    with world.database.transaction(tenant) as uow:
        uow.execute("select from customers for update")
        problem = refused(caller.post("/customers/acme", {"name": "Acme"}), 503, "try_again")
    assert "lock" not in json.dumps(problem)
    (line,) = told
    assert isinstance(line["exc_info"], psycopg.errors.LockNotAvailable)


def test_an_error_is_logged_without_what_it_repeats(world: World) -> None:
    line = {}
    try:
        read_as_number(world)
    except ValueError:
        line = dict(_error_without_its_words(None, "exception", {"event": "failed", "exc_info": True}))
    assert PERSON not in json.dumps(line)
    outer, inner = line["errors"]
    assert (outer["kind"], inner["kind"]) == ("builtins.ValueError", "psycopg.errors.InvalidTextRepresentation")
    assert (inner["sqlstate"], inner["constraint"]) == ("22P02", None)
    assert outer["at"][-1].endswith("read_as_number")
