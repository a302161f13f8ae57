"""Refusals as RFC 9457 problems: one table says the HTTP status of each kind."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NotRequired

from psycopg import OperationalError
from psycopg.errors import UniqueViolation
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.access import KeyOutlivesCaller, NotACredential, NotASession, PasswordWrong, ScopeMissing, Unauthenticated
from tenor.api.errors import (
    BodyTooLarge,
    BodyTooSlow,
    HeaderMalformed,
    InternalError,
    MediaTypeUnsupported,
    MethodNotAllowed,
    RateLimited,
    TryAgain,
)
from tenor.events import BrokerFailed
from tenor.kernel.card_numbers import holds_card_number
from tenor.kernel.closest import did_you_mean
from tenor.kernel.errors import Conflict, Malformed, NotFound, Refusal
from tenor.kernel.strict_json import NotJson
from tenor.metering import ClickHouseFailed, ClickHouseUnknown, UsageMissing
from tenor.platform.database import DatabaseTooOld, DatabaseUnreachable, LostTransaction
from tenor.platform.embedded import EmbeddedServerFailed
from tenor.platform.migrate import MigrationChanged, RolesMissing
from tenor.platform.newly_visible import TransactionsRenumbered
from tenor.platform.repetition import KeyMalformed
from tenor.platform.sealing import EncryptionKeyMissing, SealBroken
from tenor.pricing import TamperedPlanVersion
from tenor.wire import encode

MEDIA_TYPE: Final = "application/problem+json"

BUSY: Final = (OperationalError, UniqueViolation)
"""What the database could not do now and may well do later: a deadlock, a lost connection, a race for one name."""

STATUSES: Final[Mapping[type[Refusal], int]] = {
    Refusal: 422,
    Malformed: 422,
    NotFound: 404,
    Conflict: 409,
    NotJson: 400,
    HeaderMalformed: 400,
    KeyMalformed: 400,
    Unauthenticated: 401,
    NotACredential: 401,
    ScopeMissing: 403,
    KeyOutlivesCaller: 403,
    NotASession: 403,
    PasswordWrong: 403,
    MethodNotAllowed: 405,
    BodyTooSlow: 408,
    BodyTooLarge: 413,
    MediaTypeUnsupported: 415,
    RateLimited: 429,
    InternalError: 500,
    LostTransaction: 500,
    SealBroken: 500,
    TamperedPlanVersion: 500,
    UsageMissing: 500,
    ClickHouseFailed: 503,
    ClickHouseUnknown: 503,
    BrokerFailed: 503,
    DatabaseTooOld: 503,
    DatabaseUnreachable: 503,
    EmbeddedServerFailed: 503,
    EncryptionKeyMissing: 503,
    MigrationChanged: 503,
    RolesMissing: 503,
    TransactionsRenumbered: 503,
    TryAgain: 503,
}
"""The HTTP status of a refusal: that of the nearest class in its line of ancestors."""


class FieldError(TypedDict):
    """One thing that is wrong, and where: a JSON pointer into the body, or the name of a parameter or header."""

    location: str
    path: str
    code: str
    message: str


class Problem(TypedDict):
    """Why a call was refused (RFC 9457). Branch on `code`, which never changes; the facts behind it stand beside it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    request_id: str
    errors: NotRequired[list[FieldError]]


def status_of(refusal: type[Refusal]) -> int:
    """Return the HTTP status of a kind of refusal."""
    return next(STATUSES[ancestor] for ancestor in refusal.__mro__ if ancestor in STATUSES)


def title_of(refusal: type[Refusal]) -> str:
    """Return what a kind of refusal means, in a sentence."""
    return " ".join((refusal.__doc__ or "").split("\n\n")[0].split())


def problem(refusal: Refusal, *, request_id: str) -> Response:
    """Return the answer to a refused call. What failed inside the engine is not told outside."""
    kind, status = type(refusal), status_of(type(refusal))
    hidden = status >= 500
    body: dict[str, Any] = {
        **({} if hidden else refusal.details),
        "type": f"urn:tenor:error:{kind.code}",
        "title": title_of(kind),
        "status": status,
        "code": kind.code,
        "detail": "the engine could not do its work; nothing has changed" if hidden else refusal.message,
        "request_id": request_id,
    }
    return Response(encode(body), status, _headers(refusal, status), MEDIA_TYPE)


def _headers(refusal: Refusal, status: int) -> dict[str, str]:
    match status:
        case 401:
            return {"WWW-Authenticate": 'Bearer realm="tenor"'}
        case 405:
            return {"Allow": str(refusal.details["allow"])} if "allow" in refusal.details else {}
        case 429:
            return {"Retry-After": str(refusal.details["retry_after_seconds"])}
        case 503:
            return {"Retry-After": "1"}
        case _:
            return {}


def field_errors(errors: Sequence[Mapping[str, Any]], body: object) -> list[FieldError]:
    """Return what a validation found, in words of JSON: each with its place and its path in the body."""
    kind = body.get("kind") if isinstance(body, Mapping) else None
    return [_field_error(error, kind) for error in errors]


def _field_error(error: Mapping[str, Any], kind: object) -> FieldError:
    location, *path = error["loc"]
    path = ["…" if holds_card_number(str(part)) else part for part in path]
    if location == "body" and path and path[0] == kind:
        path = path[1:]  # the validator names which of several forms the body has; the body itself has no such level
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        path = [*path, error["ctx"]["discriminator"].strip("'")]
    pointer = "".join(f"/{_escaped(str(part))}" for part in path) if location == "body" else ".".join(map(str, path))
    return FieldError(location=str(location), path=pointer, code=str(error["type"]), message=_words(error))


def _words(error: Mapping[str, Any]) -> str:
    """Return what is wrong, in words of JSON."""
    match error["type"], error.get("ctx"):
        case (("missing" | "union_tag_not_found"), _):
            return "this is required"
        case "union_tag_invalid", {"tag": str(tag), "expected_tags": str(tags)}:
            return f"there is no {tag!r}" + did_you_mean(tag, re.findall(r"'(.+?)'", tags))
        case _:
            return str(error["msg"])


def _escaped(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")
