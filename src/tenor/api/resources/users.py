"""`/v1/users`: the people of a tenant, and what their role lets them do."""

from typing import Annotated, Literal

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response

from tenor.access import SCOPES, Role, User, change_role, create_user, disable_user, find_user, list_users, set_password
from tenor.access import NewUser as Newcomer
from tenor.api.bodies import NO_CARD_NUMBER, Body, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.kernel.ids import UserId
from tenor.wire import UserJson, user_json

router = resource("Users")
Reads = Annotated[Call, Security(a_call, scopes=["users:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["users:write"])]
UserRef = Annotated[str, Path(max_length=60, description="Id (`usr_…`).")]
RoleIn = Literal["owner", "admin", "finance", "support", "viewer"]
PasswordIn = Annotated[str, Field(min_length=12, max_length=128)]


class NewUser(Body):
    """Somebody to be let in, who may do no more than who lets in. Without a `password` nobody can sign in yet."""

    email: Annotated[str, Field(min_length=5, max_length=254)]
    name: Annotated[str, Field(min_length=1, max_length=200), NO_CARD_NUMBER]
    role: RoleIn
    password: PasswordIn | None = None
    reason: Line | None = None


class NewRole(Body):
    """What somebody is to be there for."""

    role: RoleIn
    reason: Line | None = None


class NewPassword(Body):
    """A password to sign in with."""

    password: PasswordIn
    reason: Line | None = None


class Disabling(Body):
    """Why somebody is let in no longer."""

    reason: Line | None = None


@router.post("/users", status_code=201, response_model=UserJson)
def create(call: Writes, body: NewUser) -> Response:
    """Let somebody in."""

    def make(work: Work) -> UserJson:
        role = Role(body.role)
        work.require_within(SCOPES[role])
        asked = Newcomer(email=body.email, name=body.name, role=role, password=body.password)
        return user_json(create_user(work.uow, asked, **work.wall_deed(body.reason)))

    return call.once(make, status=201)


@router.get("/users", response_model=Page[UserJson])
def list_(call: Reads) -> Response:
    """List all users, by email."""
    return call.show(lambda work: whole(map(user_json, list_users(work.uow))))


@router.get("/users/{user}", response_model=UserJson)
def retrieve(call: Reads, user: UserRef) -> Response:
    """Return a user."""
    return call.show(lambda work: user_json(find_user(work.uow, _id(user))))


@router.post("/users/{user}/role", response_model=UserJson)
def set_role(call: Writes, user: UserRef, body: NewRole) -> Response:
    """Change what somebody may do; it holds from the next call of every session."""

    def make(work: Work) -> UserJson:
        found, wanted = _within_reach(work, user), Role(body.role)
        work.require_within(SCOPES[wanted])
        change_role(work.uow, found.id, wanted, **work.wall_deed(body.reason))
        return user_json(find_user(work.uow, found.id))

    return call.once(make)


@router.post("/users/{user}/password", response_model=UserJson)
def set_password_(call: Writes, user: UserRef, body: NewPassword) -> Response:
    """Set a new password; all sessions of the user end."""

    def make(work: Work) -> UserJson:
        found = _within_reach(work, user)
        set_password(work.uow, found.id, body.password, **work.wall_deed(body.reason))
        return user_json(find_user(work.uow, found.id))

    return call.once(make)


@router.post("/users/{user}/disable", response_model=UserJson)
def disable(call: Writes, user: UserRef, body: Disabling) -> Response:
    """Let somebody in no longer; all sessions of the user end. Repeatable."""

    def make(work: Work) -> UserJson:
        found = _within_reach(work, user)
        disable_user(work.uow, found.id, **work.wall_deed(body.reason))
        return user_json(find_user(work.uow, found.id))

    return call.once(make)


def _within_reach(work: Work, user: str) -> User:
    """Return a user who may do no more than the caller: whoever sets a password could sign in with it."""
    found = find_user(work.uow, _id(user))
    work.require_within(found.scopes)
    return found


def _id(user: str) -> UserId:
    return UserId(id_in_path("usr", user))
