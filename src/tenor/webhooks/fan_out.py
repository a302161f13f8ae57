"""From the feed to messages: one for each event and each active endpoint that wants it."""

from datetime import datetime
from typing import Final, NamedTuple

from tenor.events import events_after, lock_reader, move_reader
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks.store.messages import write_messages

BATCH_EVENTS: Final = 1_000


class FannedOut(NamedTuple):
    """How many events were read and how many messages written for them."""

    events: int
    messages: int


def fan_out(uow: UnitOfWork, *, now: datetime) -> FannedOut:
    """Write the messages for the next events of the feed, at most 1,000, and move the reader, all in this transaction.

    Nothing happens while another relay is at it, or when the tenant never had an endpoint.
    """
    position = lock_reader(uow, "webhooks")
    if position is None:
        return FannedOut(0, 0)
    page = events_after(uow, position, limit=BATCH_EVENTS)
    written = write_messages(uow, page.events, now=now)
    if page.events:
        move_reader(uow, "webhooks", position=page.cursor)
    return FannedOut(len(page.events), written)
