"""Reading strictly: a key or a verb that nothing here knows is refused by its name, never silently dropped."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from tenor.kernel.errors import Malformed, Refusal

Body = TypeVar("Body", bound=Mapping[str, Any])


class NotRunnable(Malformed):
    """A scenario that asks for something which no module of the simulation does yet."""

    code = "scenario_not_runnable"


class StepRefused(Refusal):
    """A step that the state of its scenario does not allow; nothing has changed."""

    code = "scenario_step_refused"


def only(body: Body, known: Collection[str], what: str) -> Body:
    """Return `body` if it has only `known` keys.

    Raises:
        NotRunnable: with the keys that nothing here knows.
    """
    strangers = sorted(body.keys() - set(known))
    if strangers:
        raise NotRunnable(f"{what}: nothing here acts on {', '.join(strangers)}")
    return body


def required(body: Mapping[str, Any], name: str, what: str) -> Any:
    """Return `body[name]`.

    Raises:
        NotRunnable: it is missing.
    """
    if name not in body:
        raise NotRunnable(f"{what} names no {name}")
    return body[name]
