"""A machine is a table: (state, trigger) leads to a state, or to a rule that looks at the circumstances."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from tenor.kernel.errors import Conflict
from tenor.pricing.policy import StatesPolicy


class MoveRefused(Conflict):
    """A move that a machine does not know, or that the circumstances forbid."""

    code = "move_refused"


@dataclass(frozen=True, slots=True)
class Situation:
    """Where something stands, what happens to it, and the circumstances. `state` None: it does not exist yet."""

    state: str | None
    trigger: str
    given: Mapping[str, Any]
    states: StatesPolicy

    def refuse(self, because: str = "no such move") -> NoReturn:
        """Refuse the move."""
        raise MoveRefused(
            f"{self.trigger} from {self.state}: {because}", state=self.state, trigger=self.trigger, because=because
        )


Rule = Callable[[Situation], str]
"""Returns the state that a trigger leads to, or refuses."""

Table = Mapping[tuple[str | None, str], str | Rule | None]
"""None refuses a move that a table below it would allow."""


def move(table: Table, situation: Situation) -> str:
    """Return the state that the trigger leads to.

    Raises:
        MoveRefused: there is no such row, or its rule refuses.
        ValueError: no row of the table has this trigger, so the table cannot answer.
    """
    if all(trigger != situation.trigger for _, trigger in table):
        raise ValueError(f"the machine has no trigger {situation.trigger!r}")
    row = table.get((situation.state, situation.trigger))
    if row is None:
        situation.refuse()
    return row if isinstance(row, str) else row(situation)
