"""A customer who is erased is in no row of the database any more, whatever the API was told of the person."""

from psycopg import sql

from tests.integration.api.conftest import World
from tests.integration.api.things import opened

PERSON = "Canary Nightingale"


def rows_that_say(world: World, text: str) -> list[str]:
    """Return the tables of which a row holds a text, in letters of any case."""
    with world.database.auditor() as connection:
        tables = connection.execute(
            "select relname from pg_class where relnamespace = 'tenor'::regnamespace and relkind in ('r', 'p')"
            " and not relispartition and relname <> 'tenor_migrations'"
        ).fetchall()
        query = sql.SQL("select exists (select from {} as one where one::text ilike %s)")
        return [
            name
            for (name,) in tables
            if connection.execute(query.format(sql.Identifier("tenor", name)), [f"%{text}%"]).fetchone() == (True,)
        ]


def test_nothing_of_an_erased_customer_is_left_in_the_clear(world: World) -> None:
    caller = world.caller(world.tenant())
    subscription = opened(caller)["id"]
    about = {"name": PERSON, "email": f"{PERSON.replace(' ', '.')}@example.org", "address": f"c/o {PERSON}"}
    caller.made("/customers/globex", {**about, "metadata": {"who": PERSON}}, status=200)
    caller.made(f"/subscriptions/{subscription}/metadata", {"metadata": {"who": PERSON}}, status=200)
    caller.made("/clock/advance", {"to": "2026-02-01T00:00:00Z"}, status=200)
    assert sorted(rows_that_say(world, PERSON)) == ["customers", "subscriptions"]

    caller.made("/customers/globex/erase", {"reason": "Article 17"}, status=200)
    assert rows_that_say(world, "Nightingale") == []
    shown = caller.seen(f"/subscriptions/{subscription}", expand=["customer"])
    assert (shown["metadata"], shown["customer"]["is_erased"]) == ({}, True)
