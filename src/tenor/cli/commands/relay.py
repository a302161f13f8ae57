"""`tenor relay`: move events to the broker and to webhook endpoints."""

import asyncio
import signal
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import JsonOption, err, out, print_json, refusals
from tenor.cli.session import Session, session
from tenor.events import feed_status
from tenor.relay import Relay, RelayCounts
from tenor.webhooks import WebhookCaller

app = command_group("Move events to the broker and to webhook endpoints.")


@app.command("run")
def run(
    *,
    once: Annotated[bool, typer.Option("--once", help="Do what there is to do, then end.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Work for all tenants until SIGTERM or Ctrl-C; as many may run at once as one likes.

    Events go to the broker of `TENOR_BROKER_URL` (nats://, redis://, kafka://, amqp://), where there is one, and to
    webhook endpoints. With `TENOR_WEBHOOKS_ALLOW_LOCAL=1` these may be on this machine, and http.
    """
    with refusals(as_json=as_json), session() as opened:
        counts = asyncio.run(_work(opened, once=once))
        if as_json:
            print_json(asdict(counts))
        else:
            out.print(
                f"{counts.sequenced:,} events placed, {counts.published:,} published, {counts.chained:,} audit"
                f" records chained; webhooks: {counts.messages:,}"
                f" written, {counts.delivered:,} delivered, {counts.failed:,} failed"
            )


@app.command("status")
def status(*, as_json: JsonOption = False) -> None:
    """Show how far the feed of each tenant goes, and how far broker and webhooks have come."""
    with refusals(as_json=as_json), session() as opened:
        feeds = feed_status(opened.database)
    if as_json:
        print_json({"feeds": [feed._asdict() for feed in feeds]})
        return
    table = Table("tenant", "feed", "waiting", "broker", "webhooks", box=None)
    for feed in feeds:
        readers = ["–" if at is None else str(at) for at in (feed.broker_position, feed.webhooks_position)]
        table.add_row(escape(feed.tenant), str(feed.last_position), "yes" if feed.unsequenced else "no", *readers)
    out.print(table)


async def _work(opened: Session, *, once: bool) -> RelayCounts:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with WebhookCaller(allows_local=opened.settings.allows_local_webhooks) as caller:
        relay = Relay(
            opened.database,
            caller,
            broker_url=opened.settings.broker_url,
            clock=lambda: datetime.now(UTC),
            tell=lambda words: None if once else err.print(words, markup=False),
        )
        await (relay.run_once() if once else relay.run(stop))
    return relay.counts
