"""Bodies of calls: strict, with unknown fields refused, and no number that is not whole."""

import json
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from starlette.responses import Response

from tenor.kernel.calendar import Interval, Unit
from tenor.kernel.card_numbers import holds_card_number
from tenor.kernel.closest import did_you_mean
from tenor.kernel.errors import Malformed
from tenor.kernel.period import parse_instant
from tenor.kernel.quantity import parse_decimal, parse_quantity, parse_unit_price
from tenor.kernel.strict_json import NotJson, parse_json

DEFAULT_REASON: Final = "asked for by the API"


ERRORS_MAX: Final = 100
"""How many wrong fields a refusal names: a body of nothing else shall not cost more than it is worth."""


class Body(BaseModel):
    """What a call says. Every field is named, or the call is refused with the path of the stranger."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_strangers(cls, value: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Refuse as ever, and say of a field that there is not what it may have been meant to be."""
        try:
            return read(value)
        except ValidationError as error:
            told = [_told(one, cls.model_fields) for one in error.errors(include_url=False)[:ERRORS_MAX]]
            raise ValidationError.from_exception_data(cls.__name__, told) from None


def _told(error: ErrorDetails, known: Iterable[str]) -> InitErrorDetails:
    message = error["msg"]
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:  # a deeper one was told by the body that it is in
        message = f"there is no such field{did_you_mean(str(error['loc'][0]), known)}"
    kept = PydanticCustomError(error["type"], "{message}", {"message": message})
    return InitErrorDetails(type=kept, loc=error["loc"], input=error["input"])


class StrictRequest(Request):
    """A request whose JSON is read exactly: no key twice, no float, no NaN."""

    async def json(self) -> Any:
        """Return the value of the body; fractions are `Decimal`, which no field of a `Body` takes for a number."""
        try:
            value = parse_json((await self.body()).decode())
            return (
                str(value) if isinstance(value, Decimal) else value
            )  # of an object, FastAPI would take the attributes
        except (NotJson, UnicodeDecodeError) as error:
            raise json.JSONDecodeError(str(error), "", 0) from None  # what FastAPI knows for a body that is no JSON


class StrictRoute(APIRoute):
    """A route that reads its body strictly, takes no parameter that it does not know, and waits for its turn."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        answer = super().get_route_handler()
        known = {parameter.alias for parameter in self.dependant.query_params}

        async def strictly(request: Request) -> Response:
            strangers = [name for name in request.query_params if name not in known]
            if strangers:  # a filter that is misspelt must not look like one that lets everything through
                said = "there is no such parameter"
                raise RequestValidationError(
                    [
                        {"type": "extra_forbidden", "loc": ("query", name), "msg": said + did_you_mean(name, known)}
                        for name in strangers
                    ]
                )
            unkept = [("path", name) for name, value in request.path_params.items() if "\0" in str(value)]
            unkept += [("query", name) for name, value in request.query_params.multi_items() if "\0" in value]
            if unkept:  # no text of the database can hold one
                said = "a null character cannot be kept"
                raise RequestValidationError([{"type": "null_character", "loc": loc, "msg": said} for loc in unkept])
            async with request.app.state.sharing.turn(request.headers.get("authorization", "")):
                return await answer(StrictRequest(request.scope, request.receive))

        return strictly


def _read(parse: Callable[..., Any], *, example: str) -> PlainValidator:
    """Return a validator that reads text by a parser of the kernel; what it refuses is told with its code."""

    def validated(value: object) -> Any:
        if not isinstance(value, str):
            raise PydanticCustomError("text_needed", 'write it as text, e.g. "{example}"', {"example": example})
        try:
            return parse(value)
        except Malformed as refusal:
            raise PydanticCustomError(refusal.code, "{why}", {"why": refusal.message}) from None

    return PlainValidator(validated)


def _parse_interval(text: str) -> Interval:
    count, _, unit = text.partition(" ")
    if not (count.isascii() and count.isdigit() and len(count) <= 3 and int(count)):
        raise Malformed(f"{text[:40]!r} is no length such as '1 year' or '6 months'")
    try:
        return Interval(Unit(unit.removesuffix("s")), int(count))
    except ValueError:
        raise Malformed(f"{text[:40]!r} is no length such as '1 year' or '6 months'") from None


_DECIMAL_SCHEMA: Final = {"type": "string", "pattern": r"^-?[0-9]{1,15}(\.[0-9]{1,12})?$", "examples": ["12.50"]}
_POSITIVE_SCHEMA: Final = {"type": "string", "pattern": r"^[0-9]{1,15}(\.[0-9]{1,12})?$", "examples": ["12.50"]}

DecimalIn = Annotated[Decimal, _read(parse_decimal, example="12.50"), WithJsonSchema(_DECIMAL_SCHEMA)]
"""Any exact decimal, as text."""
QuantityIn = Annotated[Decimal, _read(parse_quantity, example="5"), WithJsonSchema(_POSITIVE_SCHEMA)]
"""Units of something, not negative, as text."""
PriceIn = Annotated[Decimal, _read(parse_unit_price, example="12.50"), WithJsonSchema(_POSITIVE_SCHEMA)]
"""A unit price in major units, not negative, as text."""
InstantIn = Annotated[
    datetime,
    _read(parse_instant, example="2026-01-31T00:00:00Z"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-01-31T00:00:00Z"]}),
]
"""An instant with its zone, as text."""
LengthIn = Annotated[
    Interval,
    _read(_parse_interval, example="1 year"),
    WithJsonSchema({"type": "string", "pattern": "^[1-9][0-9]{0,2} (hour|day|week|month|year)s?$"}),
]
"""A length of time: '1 year', '6 months'."""

_PRINTABLE: Final = r"^[^\x00-\x1f\x7f]*$"
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
"""An id, or the name by which the tenant's own systems know a thing."""
ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PRINTABLE)]
"""The name by which the tenant's own systems know a thing."""
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
"""A code of the catalogue."""


def _without_card_number(text: str) -> str:
    if holds_card_number(text):
        raise PydanticCustomError("card_number", "this looks like the number of a payment card, which is kept nowhere")
    return text


NO_CARD_NUMBER: Final = AfterValidator(_without_card_number)
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PRINTABLE), NO_CARD_NUMBER]
"""A line that somebody has written."""
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
"""A currency of ISO 4217."""
MetadataName = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=_PRINTABLE), NO_CARD_NUMBER]
MetadataText = Annotated[str, StringConstraints(max_length=500, pattern=_PRINTABLE), NO_CARD_NUMBER]

Metadata = Annotated[dict[MetadataName, MetadataText], Field(max_length=50)]
"""What the tenant's own systems keep with a thing: up to fifty texts by name."""


def _parse_effective(text: str) -> datetime | str:
    return text if text in {"now", "period_end"} else parse_instant(text)


EffectiveIn = Annotated[
    Literal["now", "period_end"] | datetime,
    _read(_parse_effective, example="period_end"),
    WithJsonSchema(
        {"anyOf": [{"enum": ["now", "period_end"], "type": "string"}, {"type": "string", "format": "date-time"}]}
    ),
]
"""When a change takes effect: now, at the end of the running period, or at an instant, past or ahead."""
