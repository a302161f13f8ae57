"""What this context refuses: one class for each reason, each with a frozen code."""

from collections.abc import Sequence
from typing import NamedTuple

from tenor.kernel.errors import Conflict, NotFound, Refusal


class TransitionRefused(Conflict):
    """A move that the life of a subscription does not know."""

    code = "transition_refused"


class SubscriptionNotFound(NotFound):
    """An id that no subscription of this tenant has."""

    code = "subscription_not_found"


class VersionConflict(Conflict):
    """A change decided on a version of the subscription that is no longer the newest."""

    code = "version_conflict"


class OutsideLife(Refusal):
    """A change effective at an instant at which the subscription does not run."""

    code = "outside_life"


class ExternalIdTaken(Conflict):
    """Another call wrote the same external id at the same moment."""

    code = "external_id_taken"


class Flaw(NamedTuple):
    """One thing wrong with what was asked for: the field and the sentence."""

    field: str
    message: str


class Problem(NamedTuple):
    """One thing wrong with one request: its position in the call (from 0), the field and the sentence."""

    position: int
    external_id: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"[{self.position}] {self.external_id!r} {self.field}: {self.message}"


class SubscriptionsRefused(Refusal):
    """A call of which at least one request is wrong; nothing was written. `problems` holds every one."""

    code = "subscriptions_refused"

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = "; ".join(str(problem) for problem in self.problems[:5])
        more = f"; and {len(self.problems) - 5} more" if len(self.problems) > 5 else ""
        super().__init__(
            f"{len(self.problems)} problem{'s' if len(self.problems) > 1 else ''}, nothing written: {shown}{more}",
            problems=[problem._asdict() for problem in self.problems],
        )


class TermsRefused(Refusal):
    """A plan that the subscription cannot change to, or quantities and prices that the plan does not allow."""

    code = "terms_refused"

    def __init__(self, flaws: Sequence[Flaw]) -> None:
        super().__init__(
            "; ".join(f"{flaw.field}: {flaw.message}" for flaw in flaws), flaws=[flaw._asdict() for flaw in flaws]
        )
