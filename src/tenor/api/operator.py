"""Calls of the operator, who stands above the tenants: let in by the one key that the environment names."""

import hmac
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from tenor.access import Unauthenticated
from tenor.api.call import Engine, KeyHeader, VersionHeader
from tenor.api.versions import require_known_version
from tenor.platform.repetition import Request as Repeatable
from tenor.platform.repetition import request as repeatable

_BEARER: Final = HTTPBearer(
    auto_error=False, scheme_name="operator_key", description="The operator's key, TENOR_OPERATOR_KEY."
)


class OperatorCall:
    """A call of the operator."""

    def __init__(self, request: Request, key: str) -> None:
        self.engine: Engine = request.app.state.engine
        self.key = key
        self.repeatable: Repeatable | None = None


async def an_operator_call(
    request: Request,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)],
    tenor_version: VersionHeader = None,
) -> OperatorCall:
    """Return a call that reads.

    Raises:
        Unauthenticated: without the operator's key, or where this installation has none.
    """
    engine: Engine = request.app.state.engine
    expected = engine.settings.operator_key
    given = "" if bearer is None else bearer.credentials
    if expected is None or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Unauthenticated("this is for the operator; send the operator's key as Authorization: Bearer")
    require_known_version(tenor_version)
    return OperatorCall(request, given)


async def an_operator_effect(
    request: Request,
    call: Annotated[OperatorCall, Depends(an_operator_call)],
    idempotency_key: KeyHeader,
) -> OperatorCall:
    """Return a call that changes something, which must name the key under which its answer is kept."""
    asked = f"{request.method} {request.url.path}"
    call.repeatable = repeatable(idempotency_key, asked.encode(), await request.body(), secret=call.key.encode())
    return call
