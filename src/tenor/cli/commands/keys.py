"""`tenor keys`: the keys that personal data and webhook secrets are sealed under."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, NamedTuple

from rich.markup import escape

from tenor.cli.groups import command_group
from tenor.cli.output import JsonOption, counted, out, print_json, progress, refusals
from tenor.cli.session import Session, session
from tenor.customers import rewrap_keys, seal_plain_names
from tenor.platform.tenants import list_tenants
from tenor.platform.unit_of_work import UnitOfWork
from tenor.webhooks import rewrap_secrets

app = command_group("The keys that personal data and webhook secrets are sealed under.")

_BATCH: Final = 5_000


@app.callback()
def keys() -> None:
    """The keys that personal data and webhook secrets are sealed under."""


@app.command("show")
def show(*, as_json: JsonOption = False) -> None:
    """Show the keys of this machine by name, and how many customers and webhook secrets each is needed for."""
    with refusals(as_json=as_json), session() as opened:
        here, used = opened.database.keyring().key_ids, _uses_by_key(opened)
        missing = sorted(used.keys() - set(here))
        if as_json:
            listed = [{"key_id": key_id, **used.get(key_id, _Uses())._asdict()} for key_id in here]
            print_json({"keys_file": str(opened.database.keys_file), "keys": listed, "missing": missing})
            return
        out.print(f"{escape(str(opened.database.keys_file))}, newest first:")
        for key_id in here:
            out.print(f"  {key_id}  {used.get(key_id, _Uses())}")
        for key_id in missing:
            out.print(f"  [red]{key_id}  {used[key_id]}, but the key is not in the file[/]")


@app.command("rotate")
def rotate(*, as_json: JsonOption = False) -> None:
    """Seal the keys of all customers and all webhook secrets under a new key. Safe to repeat after an interruption.

    Every other machine needs the new file before it reads any of them again: stop them until it is there.
    """
    with refusals(as_json=as_json), session() as opened:
        newest = opened.database.keyring().newest
        if newest in _uses_by_key(opened):
            opened.database.rotate_keyring()
        sealed = _for_each_tenant(opened, "sealing", _seal_plain, is_shown=not as_json)
        rewrapped = _for_each_tenant(opened, "wrapping", _rewrap, is_shown=not as_json)
        secrets = _for_each_tenant(opened, "wrapping secrets", _rewrap_secrets, is_shown=not as_json)
        key_id = opened.database.keyring().newest
        if as_json:
            print_json({"key_id": key_id, "customers": rewrapped, "sealed": sealed, "webhook_secrets": secrets})
            return
        out.print(f"[green]Rotated[/]  {_Uses(rewrapped, secrets)} wrapped under {key_id}")
        out.print("[bold]tenor keys prune[/] takes the keys out of the file that nothing needs any more")


@app.command("prune")
def prune(*, as_json: JsonOption = False) -> None:
    """Take those keys out of the file that nothing needs any more; backups that need them can then be read no more."""
    with refusals(as_json=as_json), session() as opened:
        keyring, used = opened.database.keyring(), _uses_by_key(opened)
        unused = [key_id for key_id in keyring.key_ids if key_id not in used and key_id != keyring.newest]
        if unused:
            keyring.without(unused, opened.database.keys_file)
        if as_json:
            print_json({"removed": unused})
            return
        out.print(f"{counted(len(unused), 'key')} removed")


def _rewrap(uow: UnitOfWork) -> int:
    return rewrap_keys(uow, limit=_BATCH)


def _rewrap_secrets(uow: UnitOfWork) -> int:
    return rewrap_secrets(uow, limit=_BATCH)


def _seal_plain(uow: UnitOfWork) -> int:
    return seal_plain_names(uow, limit=_BATCH, now=datetime.now(UTC))


def _for_each_tenant(opened: Session, word: str, work: Callable[[UnitOfWork], int], *, is_shown: bool) -> int:
    """Do `work` for each tenant in transactions of its own until nothing is left; return how much was done."""
    done = 0
    tenants = list_tenants(opened.database)
    with progress(is_shown=is_shown) as display:
        task = display.add_task(word, total=len(tenants))
        for tenant in tenants:
            worked = 1
            while worked:
                with opened.database.transaction(tenant.tenant_id) as uow:
                    worked = work(uow)
                done += worked
            display.advance(task)
    return done


class _Uses(NamedTuple):
    """How much a key is needed for."""

    customers: int = 0
    webhook_secrets: int = 0

    def __str__(self) -> str:
        secrets = f", {counted(self.webhook_secrets, 'webhook secret')}" if self.webhook_secrets else ""
        return counted(self.customers, "customer") + secrets


def _uses_by_key(opened: Session) -> dict[str, _Uses]:
    with opened.database.auditor() as connection:
        rows = connection.execute(
            """
            select key_id, sum(customers)::bigint, sum(webhook_secrets)::bigint from (
                select key_id, count(*) as customers, 0 as webhook_secrets
                from customer_keys where key_id is not null group by 1
                union all
                select key_id, 0, count(*) from webhook_secrets group by 1
            ) used group by 1
            """
        ).fetchall()
    return {key_id: _Uses(*counts) for key_id, *counts in rows}
