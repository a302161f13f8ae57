"""`tenor webhook`: endpoints that are told of events, and what became of each message."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer
from rich.markup import escape
from rich.table import Table

from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import Session, session
from tenor.events import sequence_events
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import EndpointId, TenantId, from_wire, to_wire
from tenor.kernel.period import format_instant, parse_instant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks import (
    WebhookCaller,
    WebhookSender,
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    fan_out,
    replay_event,
    replay_since,
    rotate_secret,
    webhook_attempts,
    webhook_endpoint,
    webhook_endpoints,
    webhook_messages,
)
from tenor.webhooks.model import Endpoint, Health, MessageStatus, health_to_json

app = command_group("Endpoints that are told of events, and what became of each message.")

EndpointArgument = Annotated[str, typer.Argument(help="Id of the endpoint (whe_…).")]
LimitOption = Annotated[int, typer.Option(help="How many at most.", min=1, max=1000)]

_FROM_HERE = "from the command line"


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(help="Where to send: https to a public address.")],
    *,
    tenant: TenantOption,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="invoice.finalised or 'invoice.*'; repeatable; none: all.")
    ] = None,
    description: Annotated[str, typer.Option(help="For people.")] = "",
    actor: ActorOption = "operator",
    reason: ReasonOption = _FROM_HERE,
    as_json: JsonOption = False,
) -> None:
    """Have events sent to a URL. The secret is printed here and never again."""
    with refusals(as_json=as_json), _work(tenant) as (opened, uow):
        endpoint, secret = add_endpoint(
            uow,
            url,
            event_types=types or (),
            description=description,
            allows_local=opened.settings.allows_local_webhooks,
            now=_now(),
            actor=actor,
            reason=reason,
        )
        words = f"Added {to_wire('whe', endpoint.id)}\nSecret {secret}"
        _tell({**endpoint.to_json(), "secret": secret}, words, as_json=as_json)


@app.command("list")
def list_(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """List the endpoints with their health."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        found = webhook_endpoints(uow)
    if as_json:
        print_json({"endpoints": [health_to_json(*one) for one in found]})
        return
    table = Table("id", "url", "types", "status", "waiting", "dead", "failing since", box=None)
    for endpoint, health in found:
        since = "" if endpoint.failing_since is None else format_instant(endpoint.failing_since)
        types = ", ".join(endpoint.event_types) or "all"
        facts = (escape(endpoint.url), types, _status(endpoint), str(health.pending), str(health.dead), since)
        table.add_row(to_wire("whe", endpoint.id), *facts)
    out.print(table)


@app.command("show")
def show(endpoint: EndpointArgument, *, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Show one endpoint with its health."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        _show(*webhook_endpoint(uow, _endpoint_id(endpoint)), as_json=as_json)


@app.command("rotate")
def rotate(
    endpoint: EndpointArgument,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = _FROM_HERE,
    as_json: JsonOption = False,
) -> None:
    """Make a new secret. For 24 hours messages are signed with the old one too."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        secret = rotate_secret(uow, _endpoint_id(endpoint), now=_now(), actor=actor, reason=reason)
        _tell({"id": endpoint, "secret": secret}, f"Secret {secret}", as_json=as_json)


@app.command("disable")
def disable(
    endpoint: EndpointArgument,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = _FROM_HERE,
    as_json: JsonOption = False,
) -> None:
    """Send nothing more to an endpoint. What waits for it is kept."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        found = disable_endpoint(uow, _endpoint_id(endpoint), now=_now(), actor=actor, reason=reason)
        _tell(found.to_json(), f"Status {_status(found)}", as_json=as_json)


@app.command("enable")
def enable(
    endpoint: EndpointArgument,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = _FROM_HERE,
    as_json: JsonOption = False,
) -> None:
    """Send to an endpoint again. What happened while it was disabled has to be replayed."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        found = enable_endpoint(uow, _endpoint_id(endpoint), now=_now(), actor=actor, reason=reason)
        _tell(found.to_json(), f"Status {_status(found)}", as_json=as_json)


@app.command("messages")
def messages(
    endpoint: EndpointArgument,
    *,
    tenant: TenantOption,
    status: Annotated[str, typer.Option(help="pending, delivered, or dead: the dead letter list.")] = "dead",
    after: Annotated[int, typer.Option(help="Begin after this position.", min=0)] = 0,
    limit: LimitOption = 100,
    as_json: JsonOption = False,
) -> None:
    """List the messages of an endpoint: those given up, those that wait, those delivered."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        if status not in {"pending", "delivered", "dead"}:
            raise Malformed(f"--status: {status[:40]!r} is not pending, delivered or dead")
        wanted = cast(MessageStatus, status)
        found = webhook_messages(uow, _endpoint_id(endpoint), wanted, after=after, limit=limit)
        if as_json:
            print_json({"messages": [message.to_json() for message in found]})
            return
        table = Table("position", "event", "type", "attempts", "next", box=None)
        for message in found:
            told = message.to_json()
            following = told["next_attempt_at"] or ""
            table.add_row(str(message.position), told["event_id"], message.type, str(message.attempt_count), following)
        out.print(table)


@app.command("attempts")
def attempts(
    endpoint: Annotated[str | None, typer.Argument(help="Id of the endpoint (whe_…); all where none is given.")] = None,
    *,
    tenant: TenantOption,
    event: Annotated[str | None, typer.Option(help="Only those of this event (evt_…).")] = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """List the newest attempts, with what the receiver answered."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        found = webhook_attempts(
            uow,
            endpoint_id=None if endpoint is None else _endpoint_id(endpoint),
            event_id=None if event is None else from_wire("evt", event),
            limit=limit,
        )
        if as_json:
            print_json({"attempts": [attempt.to_json() for attempt in found]})
            return
        table = Table("at", "event", "no", "answer", "ms", "body", box=None)
        for attempt in found:
            answer = attempt.answer
            what = answer.error or str(answer.status_code)
            facts = (str(attempt.attempt_no), escape(what), str(answer.duration_ms), escape(answer.text[:60]))
            table.add_row(format_instant(attempt.started_at), to_wire("evt", attempt.event_id), *facts)
        out.print(table)


@app.command("replay")
def replay(
    endpoint: EndpointArgument,
    *,
    tenant: TenantOption,
    event: Annotated[str | None, typer.Option(help="This event (evt_…), delivered or not.")] = None,
    since: Annotated[str | None, typer.Option(help="All that the endpoint has not got since this instant.")] = None,
    with_delivered: Annotated[bool, typer.Option("--all", help="With --since: also what it has got.")] = False,
    actor: ActorOption = "operator",
    reason: ReasonOption = _FROM_HERE,
    as_json: JsonOption = False,
) -> None:
    """Send again: one event, or all since an instant. Receivers know repetitions by their webhook-id."""
    with refusals(as_json=as_json), _work(tenant) as (_, uow):
        endpoint_id, now = _endpoint_id(endpoint), _now()
        if (event is None) == (since is None):
            raise Malformed("give either --event or --since")
        if event is not None:
            count = replay_event(uow, endpoint_id, from_wire("evt", event), now=now, actor=actor, reason=reason)
        else:
            count = replay_since(
                uow,
                endpoint_id,
                parse_instant(since or "", name="--since"),
                with_delivered=with_delivered,
                now=now,
                actor=actor,
                reason=reason,
            )
        _tell({"messages": count}, f"{count:,} to be sent again", as_json=as_json)


@app.command("send")
def send(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """Send what is due now for one tenant, then end. `tenor relay run` does it all the time, for all."""
    with refusals(as_json=as_json), session() as opened:
        tenant_id = opened.tenant(tenant).tenant_id
        with opened.database.transaction(tenant_id) as uow:
            sequence_events(uow)
        read = 1
        while read:
            with opened.database.transaction(tenant_id) as uow:
                read = fan_out(uow, now=_now()).events
        ended = asyncio.run(_send(opened, tenant_id))
        delivered, failed = sum(ended), len(ended) - sum(ended)
        body = {"delivered": delivered, "failed": failed}
        _tell(body, f"{delivered:,} delivered, {failed:,} failed", as_json=as_json)


async def _send(opened: Session, tenant_id: TenantId) -> list[bool]:
    async with WebhookCaller(allows_local=opened.settings.allows_local_webhooks) as caller:
        return await WebhookSender(opened.database, caller, _now).send_due([tenant_id])


@contextmanager
def _work(tenant: str) -> Iterator[tuple[Session, UnitOfWork]]:
    """Yield a transaction of a tenant, committed at the end."""
    with session() as opened, opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
        yield opened, uow


def _now() -> datetime:
    """Return the wall clock's time, for sandboxes too: receivers live in it."""
    return datetime.now(UTC)


def _endpoint_id(text: str) -> EndpointId:
    return EndpointId(from_wire("whe", text))


def _status(endpoint: Endpoint) -> str:
    return endpoint.status if endpoint.disabled_because is None else f"disabled ({endpoint.disabled_because})"


def _show(endpoint: Endpoint, health: Health, *, as_json: bool) -> None:
    told = health_to_json(endpoint, health)
    if as_json:
        print_json(told)
        return
    for name, value in told.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        out.print(f"{name.replace('_', ' '):<18} {'–' if shown in (None, '') else escape(str(shown))}")


def _tell(body: Mapping[str, Any], words: str, *, as_json: bool) -> None:
    if as_json:
        print_json(body)
    else:
        out.print(escape(words))
