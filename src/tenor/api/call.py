"""A call: who makes it, in which transaction, and the one way to answer it.

No route ever opens a transaction by itself. It asks the call for one, and gets it only after the key was looked up
inside that very transaction: a key that was revoked, or a tenant that is not the key's own, comes to nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, monotonic_ns
from typing import Annotated, Any, Final, TypedDict

from fastapi import Depends, Header, Request
from fastapi.security import HTTPBearer, SecurityScopes
from fastapi.security.http import HTTPAuthorizationCredentials
from starlette.responses import Response

from tenor.access import Caller, Credential, Unauthenticated, authenticate, read_credential, require_scope
from tenor.api.background import BackgroundRuns
from tenor.api.errors import InternalError, RateLimited, TryAgain
from tenor.api.limits import RateLimiter
from tenor.api.logs import LOG
from tenor.api.problems import BUSY, MEDIA_TYPE, problem
from tenor.api.versions import VERSIONS, require_known_version
from tenor.kernel.errors import Refusal
from tenor.kernel.ids import new_id, to_wire
from tenor.platform.database import Database
from tenor.platform.idempotency import Answer, answered_before, keep_answer
from tenor.platform.repetition import Request as Repeatable
from tenor.platform.repetition import request as repeatable
from tenor.platform.settings import Settings
from tenor.platform.tenants import Tenant
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wire import encode

DEFAULT_REASON: Final = "asked for by the API"
QUEUE_SECONDS_MAX: Final = 5
"""How long a call may wait for a thread. After that its caller may have gone, and those behind it wait for nothing."""
Clock = Callable[[], datetime]


def wall_time() -> datetime:
    """Return the time of the world."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Engine:
    """What all calls share. `wall_clock` is the time of the world: for keys, rates and stored answers.

    `limiter` is for those who have a credential, `sign_ins` for those who want one.
    """

    database: Database
    settings: Settings
    limiter: RateLimiter
    wall_clock: Clock
    runs: BackgroundRuns
    sign_ins: RateLimiter


class Deed(TypedDict):
    """What every operation is told: when it is, in the tenant's time, who does it, and why."""

    now: datetime
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class Work:
    """A transaction of the caller's tenant. `now` is the tenant's time: a sandbox's own clock, or the wall clock."""

    uow: UnitOfWork
    caller: Caller
    now: datetime
    wall_now: datetime

    @property
    def tenant(self) -> Tenant:
        """The tenant."""
        return self.caller.tenant

    @property
    def actor(self) -> str:
        """Who calls, for the audit: the id of the key or the user."""
        return self.caller.name

    @property
    def request_key(self) -> str:
        """A request key that no other call has: the idempotency key has seen to repetitions already."""
        return to_wire("evt", new_id(self.wall_now))

    def deed(self, reason: str | None = None) -> Deed:
        """Return what an operation is told, with the caller's reason where there is one."""
        return Deed(now=self.now, actor=self.actor, reason=reason or DEFAULT_REASON)

    def wall_deed(self, reason: str | None = None) -> Deed:
        """Return what an operation on access is told, by the wall clock: access and webhooks do not travel in time."""
        return {**self.deed(reason), "now": self.wall_now}

    def require_within(self, scopes: Iterable[str]) -> None:
        """Refuse scopes that the caller has not: nobody gives what he does not have.

        Raises:
            ScopeMissing: with the first one.
        """
        for scope in scopes:
            require_scope(self.caller.who.scopes, scope)


class Call:
    """A call with a credential of the right form, which only a transaction can prove."""

    def __init__(self, request: Request, engine: Engine, credential: Credential, needs: str | None) -> None:
        self.engine = engine
        self.credential = credential
        self._needs = needs
        self._log: dict[str, str] = request.state.log
        self.request_id: str = request.state.request_id
        self._admitted_at: float | None = monotonic()

    @contextmanager
    def transaction(self, *, is_snapshot: bool = False) -> Iterator[Work]:
        """Run a block as one transaction of the caller's tenant; see `Database.transaction`.

        Raises:
            Unauthenticated: the credential is no key or session, or none that may be used any more.
            ScopeMissing: the key, or the role of whose session it is, may not do this.
            TryAgain: other calls have kept it waiting for too long.
        """
        if self._admitted_at is not None and monotonic() - self._admitted_at > QUEUE_SECONDS_MAX:
            raise TryAgain("too much is being done at once")
        self._admitted_at = None  # what the call does by itself may take as long as it takes
        wall_now = self.engine.wall_clock()
        with self.engine.database.transaction(
            self.credential.tenant_id, is_snapshot=is_snapshot, is_awaited=True
        ) as uow:
            caller = authenticate(uow, self.credential, needs=self._needs, at=wall_now, request_id=self.request_id)
            self._log |= {"tenant": caller.tenant.slug, "caller": caller.name}
            yield Work(uow, caller, caller.tenant.clock_at or wall_now, wall_now)

    def show(self, read: Callable[[Work], object]) -> Response:
        """Answer with what `read` returns, read at one instant."""
        with self.transaction(is_snapshot=True) as work:
            told = read(work)
        return self.answer(told)

    def answer(self, told: object) -> Response:
        """Answer with what a transaction has found, in its JSON form."""
        return Response(encode(told), 200, media_type="application/json")


class Effect(Call):
    """A call that changes something, with the key under which its answer is kept where it has one."""

    repeatable: Repeatable | None = None

    def once(self, make: Callable[[Work], object], *, status: int = 200) -> Response:
        """Answer with what `make` returns, and with the very same to every repetition of the call.

        The answer is written in the transaction of the effect. A refusal is not kept, for it changed nothing; one that
        `make` returns instead of raising it leaves what was done, such as the count of a failed attempt. An error that
        nobody expected is kept: whoever wants another attempt takes another key.
        """
        try:
            with self.transaction() as work:
                if self.repeatable and (kept := answered_before(work.uow, self.repeatable, at=work.wall_now)):
                    return replied(kept, is_replayed=True)
                made = make(work)
                if isinstance(made, Refusal):
                    return problem(made, request_id=self.request_id)
                answer = Answer(status, encode(made))
                if self.repeatable:
                    keep_answer(work.uow, self.repeatable, answer, at=work.wall_now)
        except (Refusal, *BUSY):
            raise
        except Exception:
            if self.repeatable is None:
                raise
            LOG.exception("failed", request_id=self.request_id)
            failure = problem(InternalError("unexpected"), request_id=self.request_id)
            answer = Answer(failure.status_code, bytes(failure.body))
            with self.transaction() as work:
                keep_answer(work.uow, self.repeatable, answer, at=work.wall_now)
        return replied(answer, is_replayed=False)


def replied(answer: Answer, *, is_replayed: bool) -> Response:
    """Return an answer over HTTP; one that is told again says so in a header, its body is the same."""
    headers = {"Idempotent-Replayed": "true"} if is_replayed else {}
    media_type = "application/json" if answer.status < 400 else MEDIA_TYPE
    return Response(answer.body, answer.status, headers, media_type)


_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="api_key", description="An API key, `tnr_live_…`, or the text of a session."
)
VersionHeader = Annotated[
    str | None,
    Header(
        alias="Tenor-Version",
        description="The dated version of the API; the newest by default.",
        json_schema_extra={"enum": list(VERSIONS)},
    ),
]
KeyHeader = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$",
        description="A name of your choice for this call. Repeated under it, the call has no second effect and gets"
        " the same answer; kept for 24 hours.",
    ),
]


async def a_call(
    request: Request,
    scopes: SecurityScopes,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    tenor_version: VersionHeader = None,
) -> Call:
    """Return a call that reads. Not a byte of it has been believed yet but its form."""
    return Call(request, *_admitted(request, bearer, tenor_version), needs=scopes.scope_str or None)


async def an_effect(
    request: Request,
    scopes: SecurityScopes,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    idempotency_key: KeyHeader,
    tenor_version: VersionHeader = None,
) -> Effect:
    """Return a call that changes something, which must name the key under which its answer is kept."""
    effect = Effect(request, *_admitted(request, bearer, tenor_version), needs=scopes.scope_str or None)
    asked = f"{request.method} {request.url.path}?{request.url.query}"
    effect.repeatable = repeatable(
        idempotency_key, asked.encode(), await request.body(), secret=effect.credential.secret
    )
    return effect


async def a_batch(
    request: Request,
    scopes: SecurityScopes,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    tenor_version: VersionHeader = None,
) -> Effect:
    """Return a call that brings what has an identity of its own, so that its repetition needs no key."""
    return Effect(request, *_admitted(request, bearer, tenor_version), needs=scopes.scope_str or None)


async def body_bytes(request: Request) -> bytes:
    """Return the body as it was sent."""
    return await request.body()


def _admitted(request: Request, bearer: Any, version: str | None) -> tuple[Engine, Credential]:
    engine: Engine = request.app.state.engine
    request.state.log = {}
    if bearer is None:
        raise Unauthenticated("send an API key as Authorization: Bearer tnr_live_…")
    credential = read_credential(bearer.credentials)
    standing = engine.limiter.take(credential.digest, at_nanoseconds=monotonic_ns())
    request.state.headers = standing.headers
    if standing.retry_after_seconds:
        wait = standing.retry_after_seconds
        raise RateLimited(f"too many calls; the next one is let in after {wait} s", retry_after_seconds=wait)
    require_known_version(version)
    return engine, credential
