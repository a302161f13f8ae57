"""JSON read strictly: numbers exact, no key twice, nothing that only some programs take for a number."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from tenor.kernel.errors import Malformed


class NotJson(Malformed):
    """A text that is not JSON, or says two things at once."""

    code = "not_json"


def parse_json(text: str) -> Any:
    """Return the value of a JSON text; whole numbers are `int`, all others exact `Decimal`.

    Raises:
        NotJson: with the place; also for a key that comes twice, for NaN and Infinity, for a number whose
            exponent no decimal has, and for a nesting that is too deep.
    """
    try:
        return json.loads(
            text, parse_float=_exact, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates
        )
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except ValueError as error:
        raise NotJson(str(error)) from None


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text[:60]} is beyond any number") from None


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(name for name in names if names.count(name) > 1)!r} comes twice")
    return result
