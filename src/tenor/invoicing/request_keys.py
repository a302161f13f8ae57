"""Rows of `request_keys`: what was made under a key of the caller's, so that a repeated call makes nothing twice."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

import msgspec

from tenor.kernel.errors import Conflict, Malformed
from tenor.platform.unit_of_work import UnitOfWork

KEY_LENGTH_MAX = 200


class RequestKeyReused(Conflict):
    """A key under which something else was asked for before."""

    code = "request_key_reused"


def made_before(uow: UnitOfWork, operation: str, key: str, content: Mapping[str, object]) -> UUID | None:
    """Return what `operation` has made under `key`, None if nothing; keep others with the same key waiting.

    `content` is what was asked for, as `msgspec.json.encode` takes it. Call `remember` when the thing is made.

    Raises:
        Malformed: a key of no or too many characters.
        RequestKeyReused: the key was used for another content.
    """
    if not 0 < len(key) <= KEY_LENGTH_MAX or not key.isprintable():
        raise Malformed(f"a request key has 1 to {KEY_LENGTH_MAX} printable characters")
    uow.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"request {uow.tenant_id} {operation} {key}"])
    row = uow.fetch_one(
        "select made_id, request_digest from request_keys where operation = %s and key = %s", [operation, key]
    )
    if row is None:
        return None
    made_id, digest = row
    if bytes(digest) != _digest(content):
        done = operation.replace("_", " ")
        raise RequestKeyReused(f"{key!r} was used before, to {done} with other content", key=key)
    return UUID(str(made_id))


def remember(uow: UnitOfWork, operation: str, key: str, content: Mapping[str, object], made_id: UUID) -> None:
    """Write what was made under `key`."""
    uow.execute(
        "insert into request_keys (tenant_id, operation, key, request_digest, made_id) values (%s, %s, %s, %s, %s)",
        [uow.tenant_id, operation, key, _digest(content), made_id],
    )


def _digest(content: Mapping[str, object]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(content, order="deterministic")).digest()
