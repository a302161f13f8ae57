"""`tenor user`: the people of a tenant."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from tenor.access import (
    NewUser,
    Role,
    User,
    change_role,
    create_user,
    disable_user,
    find_user,
    find_user_by_email,
    list_users,
    set_password,
)
from tenor.cli.groups import command_group
from tenor.cli.output import ActorOption, JsonOption, ReasonOption, TenantOption, out, print_json, refusals
from tenor.cli.session import session
from tenor.kernel.ids import UserId, from_wire, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wire import user_json

app = command_group("People who sign in, and what they may do.")

UserArgument = Annotated[str, typer.Argument(metavar="USER", help="Email address, or id (usr_…).")]
RoleOption = Annotated[Role, typer.Option(help="What the user is there for.")]


@app.callback()
def user() -> None:
    """People who sign in, and what they may do."""


@app.command("create")
def create(
    email: Annotated[str, typer.Argument(help="Email address, by which the user signs in.")],
    *,
    tenant: TenantOption,
    role: RoleOption,
    name: Annotated[str | None, typer.Option(help="Name; by default the email address.")] = None,
    actor: ActorOption = "operator",
    reason: ReasonOption = "created by the command line",
    as_json: JsonOption = False,
) -> None:
    """Let somebody in, who can sign in once a password is set."""
    with refusals(as_json=as_json), session() as opened:
        asked = NewUser(email=email, name=name or email, role=role)
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            made = create_user(uow, asked, now=datetime.now(UTC), actor=actor, reason=reason)
        _tell("Created", made, as_json=as_json)
        if not as_json:
            out.print(f"[bold]tenor user password {escape(made.email)}[/] sets a password to sign in with")


@app.command("list")
def list_command(*, tenant: TenantOption, as_json: JsonOption = False) -> None:
    """List all users, by email."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            found = list_users(uow)
        if as_json:
            print_json({"users": [user_json(one) for one in found]})
            return
        if not found:
            out.print("There is no user yet. Let one in with [bold]tenor user create EMAIL --role owner[/].")
            return
        table = Table("user", "email", "name", "role", "can sign in", box=None)
        for one in found:
            state = "no: disabled" if one.disabled_at else "yes" if one.has_password else "no: no password"
            table.add_row(to_wire("usr", one.id), escape(one.email), escape(one.name), one.role, state)
        out.print(table)


@app.command("role")
def role_command(
    user: UserArgument,
    role: Annotated[Role, typer.Argument(help="What the user is to be there for.")],
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "changed by the command line",
    as_json: JsonOption = False,
) -> None:
    """Change what somebody may do; it holds from the next call of every session."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            found = _found(uow, user)
            change_role(uow, found.id, role, now=datetime.now(UTC), actor=actor, reason=reason)
            changed = find_user(uow, found.id)
        _tell("Changed", changed, as_json=as_json)


@app.command("disable")
def disable(
    user: UserArgument,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "disabled by the command line",
    as_json: JsonOption = False,
) -> None:
    """Let somebody in no longer; all sessions of the user end."""
    with refusals(as_json=as_json), session() as opened:
        with opened.database.transaction(opened.tenant(tenant).tenant_id) as uow:
            found = _found(uow, user)
            disable_user(uow, found.id, now=datetime.now(UTC), actor=actor, reason=reason)
            disabled = find_user(uow, found.id)
        _tell("Disabled", disabled, as_json=as_json)


@app.command("password")
def password(
    user: UserArgument,
    *,
    tenant: TenantOption,
    actor: ActorOption = "operator",
    reason: ReasonOption = "set by the command line",
    as_json: JsonOption = False,
) -> None:
    """Set a password, which is asked for, or read as one line from standard input; all sessions of the user end."""
    with refusals(as_json=as_json), session() as opened:
        of = opened.tenant(tenant)
        with opened.database.transaction(of.tenant_id) as uow:
            found = _found(uow, user)
        typed = _typed_password()
        with opened.database.transaction(of.tenant_id) as uow:
            set_password(uow, found.id, typed, now=datetime.now(UTC), actor=actor, reason=reason)
            changed = find_user(uow, found.id)
        _tell("Set the password of", changed, as_json=as_json)


def _typed_password() -> str:
    """Return a password that was typed. It is never an argument: those are seen by all, and kept by shells."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    typed: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return typed


def _found(uow: UnitOfWork, user: str) -> User:
    """Return the user whose email address or id this is."""
    return find_user_by_email(uow, user) if "@" in user else find_user(uow, UserId(from_wire("usr", user)))


def _tell(done: str, user: User, *, as_json: bool) -> None:
    if as_json:
        print_json(user_json(user))
    else:
        out.print(f"[green]{done}[/]  {escape(user.email)}  {user.role}  {to_wire('usr', user.id)}")
