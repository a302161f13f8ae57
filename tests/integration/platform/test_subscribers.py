"""Subscribers are told of events in the transaction that publishes them: all of it is kept, or none."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.outbox import Event, copy_events, publish, tell_subscribers
from tenor.platform.tenants import create_tenant
from tests.support.following import NotLiked, refuse, write_down, written_down
from tests.support.postgres import Server

AT = datetime.now(UTC)
ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))


@pytest.fixture(scope="module")
def followed(server: Server, template: str) -> Iterator[Database]:
    """A database whose subscribers write down what is told of doors and lamps, and refuse bells."""
    subscribers = {
        "door.opened": (write_down,),
        "lamp.lit": (write_down, write_down),
        "bell.rung": (write_down, refuse),
    }
    with (
        server.fresh_database(template) as name,
        Database.open(server.settings(name), subscribers=subscribers) as database,
    ):
        yield database


@pytest.fixture
def house(followed: Database, request: pytest.FixtureRequest) -> TenantId:
    """A tenant of this test's own."""
    slug = request.node.name.removeprefix("test_").replace("_", "-")[:60]
    return create_tenant(followed, slug=slug, name=slug)


def event(event_type: str, object_id: UUID = ONE) -> Event:
    return Event(event_type, object_id, {}, AT)


def published(database: Database, tenant_id: TenantId) -> list[str]:
    with database.transaction(tenant_id) as uow:
        return [name for (name,) in uow.fetch_all("select type from outbox_events order by id")]


def test_only_who_follows_a_type_is_told_and_those_in_a_row_together(followed: Database, house: TenantId) -> None:
    with followed.transaction(house) as uow:
        publish(uow, [event("door.opened"), event("door.opened", TWO), event("cat.fed"), event("lamp.lit")])
        publish(uow, [event("door.opened", THREE)])

    assert written_down(followed, house) == [
        {"type": "door.opened", "together": 1},
        {"type": "door.opened", "together": 2},
        {"type": "door.opened", "together": 2},
        {"type": "lamp.lit", "together": 1},  # two follow lamps
        {"type": "lamp.lit", "together": 1},
    ]


def test_what_a_subscriber_refuses_did_not_happen(followed: Database, house: TenantId) -> None:
    with pytest.raises(NotLiked), followed.transaction(house) as uow:
        publish(uow, [event("door.opened")])
        publish(uow, [event("bell.rung")])

    assert published(followed, house) == []
    assert written_down(followed, house) == []


def test_what_is_taken_back_takes_along_what_followed_from_it(followed: Database, house: TenantId) -> None:
    """As a quote does: the change is made, looked at, and taken back."""
    with followed.transaction(house) as uow:
        publish(uow, [event("door.opened")])
        with uow.connection.transaction(force_rollback=True):
            publish(uow, [event("lamp.lit")])

    assert published(followed, house) == ["door.opened"]
    assert written_down(followed, house) == [{"type": "door.opened", "together": 1}]


def test_many_events_are_told_once_what_happened_is_done(followed: Database, house: TenantId) -> None:
    events = [event("door.opened", UUID(int=number)) for number in range(1, 6)]
    with followed.transaction(house) as uow:
        uow.execute("select tenor.ensure_month_partitions('tenor.outbox_events', current_date, current_date)")
        copy_events(uow, [(UUID(int=number), one) for number, one in enumerate(events)], recorded_at=AT)
        assert uow.fetch_one("select count(*) from audit_records where action = 'event.heard'") == (0,)
        tell_subscribers(uow, iter(events))

    assert published(followed, house) == ["door.opened"] * 5
    assert written_down(followed, house) == [{"type": "door.opened", "together": 5}] * 5
