"""Usage thresholds: amounts of usage in a running period at which what it costs so far is invoiced at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tenor.kernel.errors import Malformed
from tenor.kernel.quantity import plain


class MalformedThresholds(Malformed):
    """Usage thresholds that are not amounts above zero, each above the one before."""

    code = "malformed_thresholds"


@dataclass(frozen=True, slots=True)
class UsageThresholds:
    """Amounts in major units of the subscription's currency: the `amounts` in rising order, then each further `step`.

    None of both says that there are none, also where a plan or a customer has some.

    Raises:
        MalformedThresholds: an amount that is not above zero and the one before.
    """

    amounts: tuple[Decimal, ...] = ()
    step: Decimal | None = None

    def __post_init__(self) -> None:
        for before, amount in zip((Decimal(0), *self.amounts), self.amounts, strict=False):
            if not amount.is_finite() or amount <= before:
                raise MalformedThresholds(f"a threshold of {amount} must be above {before}")
        if self.step is not None and not (self.step.is_finite() and self.step > 0):
            raise MalformedThresholds(f"a threshold every {self.step} must be above 0")

    def __bool__(self) -> bool:
        return bool(self.amounts) or self.step is not None

    def reached(self, amount: Decimal) -> int:
        """Return how many of them an amount has reached: those that it equals or exceeds."""
        single = sum(threshold <= amount for threshold in self.amounts)
        return single + self._steps(amount)

    def highest_reached(self, amount: Decimal) -> Decimal | None:
        """Return the highest of them that an amount has reached; None where it has reached none."""
        steps = self._steps(amount)
        if steps and self.step is not None:
            return self._top + steps * self.step
        return max((threshold for threshold in self.amounts if threshold <= amount), default=None)

    @property
    def _top(self) -> Decimal:
        return self.amounts[-1] if self.amounts else Decimal(0)

    def _steps(self, amount: Decimal) -> int:
        if self.step is None or amount < self._top:
            return 0
        return int((amount - self._top) // self.step)


def thresholds_to_json(thresholds: UsageThresholds) -> dict[str, Any]:
    """Return thresholds as a definition keeps them: `{"at": ["100"], "every": "50"}`, a step that is none left out."""
    body: dict[str, Any] = {"at": [plain(amount) for amount in thresholds.amounts]}
    return body if thresholds.step is None else {**body, "every": plain(thresholds.step)}


def thresholds_from_json(body: Mapping[str, Any]) -> UsageThresholds:
    """Return the thresholds that `thresholds_to_json` wrote."""
    step = body.get("every")
    return UsageThresholds(tuple(map(Decimal, body["at"])), None if step is None else Decimal(step))
