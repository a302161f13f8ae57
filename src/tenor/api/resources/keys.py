"""`/v1/api-keys`: the keys by which programs call the API."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Path, Security
from pydantic import Field
from starlette.responses import Response

from tenor.access import (
    EVERYTHING,
    ApiKey,
    KeyOutlivesCaller,
    create_key,
    find_key,
    list_keys,
    revoke_key,
    rotate_key,
)
from tenor.api.bodies import NO_CARD_NUMBER, Body, InstantIn, Line
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import After, Limit, Page, cursor, page
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.kernel.ids import KeyId
from tenor.kernel.period import format_instant
from tenor.wire import IssuedKeyJson, KeyJson, issued_key_json, key_json

router = resource("API keys")
Reads = Annotated[Call, Security(a_call, scopes=["keys:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["keys:write"])]
KeyRef = Annotated[str, Path(max_length=60, description="Id (`key_…`).")]


class NewKey(Body):
    """A key to be. It can do no more than the key that asks for it, nor for longer."""

    name: Annotated[str, Field(min_length=1, max_length=200), NO_CARD_NUMBER]
    scopes: Annotated[list[str], Field(min_length=1, max_length=100)] = Field(default_factory=lambda: list(EVERYTHING))
    expires_at: InstantIn | None = None
    reason: Line | None = None


class Rotation(Body):
    """How long the old key may still be used."""

    overlap_hours: Annotated[int, Field(ge=0, le=720)] = 24
    reason: Line | None = None


class Revocation(Body):
    """Why a key is revoked."""

    reason: Line | None = None


@router.post("/api-keys", status_code=201, response_model=IssuedKeyJson)
def create(call: Writes, body: NewKey) -> Response:
    """Create a key. `secret` is told this once, and to repetitions of this very call for 24 hours."""

    def make(work: Work) -> IssuedKeyJson:
        work.require_within(body.scopes)
        _require_no_longer(work, body.expires_at)
        issued = create_key(
            work.uow,
            name=body.name,
            scopes=tuple(body.scopes),
            expires_at=body.expires_at,
            **work.wall_deed(body.reason),
        )
        return issued_key_json(issued)

    return call.once(make, status=201)


@router.get("/api-keys", response_model=Page[KeyJson])
def list_(call: Reads, limit: Limit = 20, after: After = None) -> Response:
    """List keys, the newest first, without their texts."""

    def read(work: Work) -> Page[KeyJson]:
        since = cursor("key", after)
        found = list_keys(work.uow, limit=limit + 1, after=None if since is None else KeyId(since))
        return page(
            found, "key", limit=limit, id_of=lambda one: one.id, shown=lambda one: key_json(one, at=work.wall_now)
        )

    return call.show(read)


@router.get("/api-keys/{key}", response_model=KeyJson)
def retrieve(call: Reads, key: KeyRef) -> Response:
    """Return a key, without its text."""
    return call.show(lambda work: key_json(find_key(work.uow, KeyId(id_in_path("key", key))), at=work.wall_now))


@router.post("/api-keys/{key}/revoke", response_model=KeyJson)
def revoke(call: Writes, key: KeyRef, body: Revocation) -> Response:
    """End a key at once. Repeatable."""

    def make(work: Work) -> KeyJson:
        revoked = revoke_key(
            work.uow,
            KeyId(id_in_path("key", key)),
            **work.wall_deed(body.reason),
        )
        return key_json(revoked, at=work.wall_now)

    return call.once(make)


@router.post("/api-keys/{key}/rotate", status_code=201, response_model=IssuedKeyJson)
def rotate(call: Writes, key: KeyRef, body: Rotation) -> Response:
    """Put a new key in the place of another one, which ends a while later. A key that expires cannot ask for it."""

    def make(work: Work) -> IssuedKeyJson:
        key_id = KeyId(id_in_path("key", key))
        work.require_within(find_key(work.uow, key_id).scopes)
        _require_no_longer(work, None)
        issued = rotate_key(
            work.uow,
            key_id,
            overlap=timedelta(hours=body.overlap_hours),
            **work.wall_deed(body.reason),
        )
        return issued_key_json(issued)

    return call.once(make, status=201)


def _require_no_longer(work: Work, expires_at: datetime | None) -> None:
    """Refuse a key that lasts longer than the one that calls; None: it never expires."""
    who = work.caller.who
    if isinstance(who, ApiKey) and who.expires_at is not None and (expires_at is None or expires_at > who.expires_at):
        raise KeyOutlivesCaller(
            "a key that expires makes none that is there longer", expires_at=format_instant(who.expires_at)
        )
