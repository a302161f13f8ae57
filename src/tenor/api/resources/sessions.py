"""`/v1/sessions`: people sign in, are known, and sign out."""

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address
from threading import BoundedSemaphore
from time import monotonic_ns
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request, Security
from pydantic import Field
from starlette.responses import Response

from tenor.access import (
    NotASession,
    OpenedSession,
    PasswordWrong,
    Unauthenticated,
    User,
    change_own_password,
    end_own_session,
    end_session,
    list_sessions,
    sign_in,
)
from tenor.api.bodies import Body, ExternalId, Line
from tenor.api.call import Call, Effect, Engine, VersionHeader, Work, a_call, an_effect
from tenor.api.errors import RateLimited, TryAgain
from tenor.api.pages import After, Limit, Page, cursor, page
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.api.versions import require_known_version
from tenor.kernel.errors import NotFound
from tenor.kernel.ids import SessionId, TenantId
from tenor.platform.tenants import find_tenant
from tenor.wire import (
    OpenedSessionJson,
    SessionJson,
    UserJson,
    encode,
    opened_session_json,
    session_json,
    user_json,
)

router = resource("Sessions")
NOBODYS = TenantId(UUID(int=0))
"""The id of no tenant: who names one that is not there is refused as slowly as everybody else."""
ATTEMPTS_AT_ONCE: Final = 8
"""How many are looked at together. Each holds a thread and hashes a password, for which two have room at a time."""
_PLACES: Final = BoundedSemaphore(ATTEMPTS_AT_ONCE)
Known = Annotated[Call, Security(a_call)]
Ends = Annotated[Effect, Security(an_effect)]


class SigningIn(Body):
    """Who wants to sign in, and to which tenant."""

    tenant: Annotated[str, Field(pattern="^[a-z][a-z0-9-]{0,62}$", description="Slug.")]
    email: ExternalId  # whatever was typed: what is no address is nobody's
    password: Annotated[str, Field(min_length=1, max_length=128)]


class OwnPassword(Body):
    """The password by which somebody has signed in, and the one that is to take its place."""

    old_password: Annotated[str, Field(min_length=1, max_length=128)]
    password: Annotated[str, Field(min_length=12, max_length=128)]
    reason: Line | None = None


class SigningOut(Body):
    """Nothing more needs to be said."""


async def an_attempt(request: Request, tenor_version: VersionHeader = None) -> Engine:
    """Return the engine for an attempt to sign in.

    Raises:
        RateLimited: there were too many of them from one address.
    """
    engine: Engine = request.app.state.engine
    _take_attempt(engine, _network_of("" if request.client is None else request.client.host).encode())
    require_known_version(tenor_version)
    return engine


@router.post("/sessions", status_code=201, response_model=OpenedSessionJson)
def create(engine: Annotated[Engine, Depends(an_attempt)], body: SigningIn) -> Response:
    """Sign in: open a session, whose text is a credential with the rights of the user's role.

    A wrong password, an unknown tenant or user, and one who is disabled or locked get the same answer. Five failures
    lock a user for a quarter of an hour. It takes no idempotency key: repeated, it opens another session.
    """
    with _a_place():
        opened = _opened(engine, body)
    if opened is None:  # told after the transaction, which has counted the failed attempt
        raise Unauthenticated("nobody can sign in by this")
    return Response(encode(opened_session_json(opened)), 201, media_type="application/json")


@router.get("/sessions", response_model=Page[SessionJson])
def list_(call: Known, limit: Limit = 20, after: After = None) -> Response:
    """List where the user of the session that calls is signed in, the newest first."""

    def read(work: Work) -> Page[SessionJson]:
        since = cursor("ses", after)
        found = list_sessions(
            work.uow,
            _signed_in(work),
            call.credential,
            now=work.wall_now,
            limit=limit + 1,
            after=None if since is None else SessionId(since),
        )
        return page(found, "ses", limit=limit, id_of=lambda one: one.id, shown=session_json)

    return call.show(read)


@router.get("/sessions/current", response_model=UserJson)
def retrieve_current(call: Known) -> Response:
    """Return whose session calls."""
    return call.show(lambda work: user_json(_signed_in(work)))


@router.post("/sessions/current/end", response_model=UserJson)
def end_current(call: Ends, body: SigningOut) -> Response:  # noqa: ARG001  strictly empty
    """Sign out: end the session that calls."""

    def make(work: Work) -> UserJson:
        user = _signed_in(work)
        end_session(work.uow, call.credential, now=work.wall_now)
        return user_json(user)

    return call.once(make)


@router.post("/sessions/current/password", response_model=UserJson)
def set_password(call: Ends, body: OwnPassword) -> Response:
    """Set a new password, by the old one; all sessions of the user but the one that calls end.

    A wrong old password counts as a failed attempt to sign in.
    """
    _take_attempt(call.engine, call.credential.digest)

    def make(work: Work) -> UserJson | PasswordWrong:
        user = _signed_in(work)
        is_set = change_own_password(
            work.uow,
            user,
            old=body.old_password,
            new=body.password,
            credential=call.credential,
            **work.wall_deed(body.reason),
        )
        return user_json(user) if is_set else PasswordWrong("the old password is wrong, or was tried too often")

    with _a_place():
        return call.once(make)


@router.post("/sessions/{session}/end", response_model=UserJson)
def end(
    call: Ends,
    session: Annotated[str, Path(max_length=60, description="Id (`ses_…`).")],
    body: SigningOut,  # noqa: ARG001  strictly empty
) -> Response:
    """Sign out elsewhere: end another session of the user who calls. Repeatable."""

    def make(work: Work) -> UserJson:
        user = _signed_in(work)
        session_id = SessionId(id_in_path("ses", session))
        end_own_session(work.uow, user, session_id, now=work.wall_now, actor=work.actor)
        return user_json(user)

    return call.once(make)


@contextmanager
def _a_place() -> Iterator[None]:
    """Run a block that checks a password, as one of a few at a time.

    Raises:
        TryAgain: all places are taken.
    """
    if not _PLACES.acquire(blocking=False):
        raise TryAgain("too many sign in at once")
    try:
        yield
    finally:
        _PLACES.release()


def _opened(engine: Engine, asked: SigningIn) -> OpenedSession | None:
    """Return a session for who knows the password; None where anything is not so."""
    try:
        tenant_id = find_tenant(engine.database, asked.tenant).tenant_id
    except NotFound:
        tenant_id = NOBODYS
    with engine.database.transaction(tenant_id, is_awaited=True) as uow:
        return sign_in(uow, asked.email, asked.password, now=engine.wall_clock())


def _network_of(address: str) -> str:
    """Return what one caller is known by: the address, of IPv6 the /64 in which all addresses are one customer's."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return address
    return str(found.ipv4_mapped or int(found) >> 64)


def _take_attempt(engine: Engine, who: bytes) -> None:
    """Let somebody try a password, which is dear to check.

    Raises:
        RateLimited: there were too many attempts.
    """
    wait = engine.sign_ins.take(who, at_nanoseconds=monotonic_ns()).retry_after_seconds
    if wait:
        raise RateLimited(f"too many attempts; the next one is let in after {wait} s", retry_after_seconds=wait)


def _signed_in(work: Work) -> User:
    if not isinstance(work.caller.who, User):
        raise NotASession("an API key calls; only somebody who has signed in has a session")
    return work.caller.who
