"""What a call may raise: one class for each kind of refusal, and one for a call that nobody answered."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import httpx


class FieldError(NamedTuple):
    """One thing that is wrong with a call, and where.

    `path` is a JSON pointer into the body (`/quantities/seats`) where `location` is 'body', else the name of a query
    parameter or a header.
    """

    location: str
    path: str
    code: str
    message: str


class TenorError(Exception):
    """Whatever a call may raise."""


class NotAnswered(TenorError):
    """No attempt reached the server and came back. Repeat it with the same idempotency key: it may have had its effect.

    `idempotency_key` is that key; None for a call that only reads.
    """

    def __init__(self, message: str, *, idempotency_key: str | None) -> None:
        super().__init__(message)
        self.idempotency_key = idempotency_key


class Refused(TenorError):
    """The server refused a call (RFC 9457). Branch on the class or on `code`, which never changes.

    `detail` is for people; `errors` names each wrong field; `facts` is the whole problem, with what the code has to
    say beside; `request_id` finds the call in the server's log.
    """

    def __init__(self, status: int, facts: Mapping[str, Any], *, request_id: str) -> None:
        self.status = status
        self.code = str(facts.get("code", f"http_{status}"))
        self.detail = str(facts.get("detail", ""))
        self.errors = tuple(
            FieldError(**{name: str(error.get(name, "")) for name in FieldError._fields})
            for error in facts.get("errors", ())
            if isinstance(error, Mapping)
        )
        self.facts = facts
        self.request_id = request_id
        super().__init__(f"{status} {self.code}: {self.detail} (request {request_id})")


class Invalid(Refused):
    """The call does not say what it has to, or asks for what cannot be (400, 413, 415, 422)."""


class Unauthenticated(Refused):
    """The key is missing, wrong, expired or revoked (401)."""


class Forbidden(Refused):
    """The key may not do this (403)."""


class NotFound(Refused):
    """There is no such thing, or it is another tenant's (404)."""


class Conflict(Refused):
    """The thing has changed, or is in a state that forbids the call (409)."""


class RateLimited(Refused):
    """More calls than the key's rate allows (429), also after the retries."""


class EngineFailed(Refused):
    """The server could not do its work; nothing has changed (5xx)."""


_KINDS: Final[Mapping[int, type[Refused]]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: RateLimited,
}


def refused(answer: httpx.Response) -> Refused:
    """Return the refusal that an answer tells; one without a problem comes from something on the way to the server."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    facts = told if isinstance(told, Mapping) else {"detail": f"an answer that is no problem: {answer.text[:200]!r}"}
    kind = EngineFailed if answer.status_code >= 500 else _KINDS.get(answer.status_code, Refused)
    request_id = str(facts.get("request_id") or answer.headers.get("Request-Id", "unknown"))
    return kind(answer.status_code, facts, request_id=request_id)
