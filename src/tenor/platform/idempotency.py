"""Idempotency: what a call was answered, kept under a key of the caller's in the transaction of its effect.

So the effect and the answer are there together or not at all: a call that is repeated because its answer was lost
gets that answer, and never the effect twice. Of calls at the same time with one key, the first does the work and
the others wait for its transaction to end.

An answer may hold what nobody but the caller is to know: personal data, the text of a fresh API key. It is sealed
under a secret of the caller's that is kept nowhere, so that the table tells nothing to who reads it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.errors import LockNotAvailable

from tenor.platform.repetition import KEPT_FOR, CallStillRunning, Request, is_repetition
from tenor.platform.sealing import seal, unseal
from tenor.platform.unit_of_work import Row, UnitOfWork

WAIT_SECONDS_MAX: Final = 10
"""How long a call waits for another one with its key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call was answered: an HTTP status and a body in UTF-8, byte for byte."""

    status: int
    body: bytes


def answered_before(uow: UnitOfWork, call: Request, *, at: datetime) -> Answer | None:
    """Return what this call was answered; None where it is the first, which others with its key now wait for.

    Call it before anything else in the transaction, and `keep_answer` at its end. `at` is of the wall clock.

    Raises:
        KeyReused: another call was answered under this key.
        CallStillRunning: its twin has not come to an end in `WAIT_SECONDS_MAX`.
    """
    fingerprint, status, body, answered_at = _take_turn(uow, call)
    if fingerprint is None:
        return None
    if not is_repetition(call, of=bytes(fingerprint), answered_at=answered_at, at=at):
        return None
    return Answer(status, unseal(call.seal, bytes(body), place=_place(uow, call)).encode())


def keep_answer(uow: UnitOfWork, call: Request, answer: Answer, *, at: datetime) -> None:
    """Write what a call is answered, for 24 hours; now and then forget what has expired."""
    sealed = seal(call.seal, answer.body.decode(), place=_place(uow, call))
    uow.execute(
        """
        insert into idempotency_answers as kept (tenant_id, key, fingerprint, status, body, answered_at, expires_at)
        values (%(tenant)s, %(key)s, %(fingerprint)s, %(status)s, %(body)s, %(at)s, %(expires)s)
        on conflict (tenant_id, key) do update set
            fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
            answered_at = excluded.answered_at, expires_at = excluded.expires_at
        where kept.expires_at <= excluded.answered_at
        """,
        {
            "tenant": uow.tenant_id,
            "key": call.key,
            "fingerprint": call.fingerprint,
            "status": answer.status,
            "body": sealed,
            "at": at,
            "expires": at + KEPT_FOR,
        },
    )
    if call.fingerprint[0] == 0:  # one call in 256 does it for all
        forget_expired(uow, at=at)


def forget_expired(uow: UnitOfWork, *, at: datetime) -> int:
    """Delete answers that have expired, a thousand at most; return how many. `at` is of the wall clock."""
    row = uow.fetch_one("select tenor.forget_expired_answers(%s)", [at])
    return 0 if row is None else int(row[0])


def _take_turn(uow: UnitOfWork, call: Request) -> Row:
    """Let one transaction at a time go on with a key; the lock falls with the transaction, however it ends.

    Returns what was answered under the key: fingerprint, status, body and instant, or nulls.
    """
    name = f"idempotency {uow.tenant_id} {call.key}"
    turn: Final = "select * from tenor.take_turn(%s, %s)"
    ((is_turn, *told),) = uow.fetch_all(turn, [name, call.key])
    if is_turn:
        return tuple(told)
    before = uow.fetch_one("select current_setting('lock_timeout')") or ("0",)
    uow.execute("select set_config('lock_timeout', %s, true)", [f"{WAIT_SECONDS_MAX}s"])
    try:
        uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    except LockNotAvailable:
        raise CallStillRunning("a call with this idempotency key is still running; repeat it later") from None
    uow.execute("select set_config('lock_timeout', %s, true)", before)
    ((_, *told),) = uow.fetch_all(turn, [name, call.key])
    return tuple(told)


def _place(uow: UnitOfWork, call: Request) -> str:
    return f"{uow.tenant_id}/idempotency_answers/{call.key}"
