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


class GridRefused(Refusal):
    """Billing dates that cannot move as asked: the policy or the plan fixes them."""

    code = "grid_refused"


class AlreadyPaused(Conflict):
    """A pause at an instant at which service is paused anyhow."""

    code = "already_paused"


class NotPaused(Conflict):
    """A resumption of what is not paused."""

    code = "not_paused"


class PauseRefused(Refusal):
    """A pause that cannot be as asked: its length, or what it would do to the billing dates."""

    code = "pause_refused"


class AlreadyCancelled(Conflict):
    """A cancellation of what has been cancelled for that instant or an earlier one."""

    code = "already_cancelled"


class UndoRefused(Refusal):
    """An entry of the journal that cannot be taken back."""

    code = "undo_refused"


class NotInTrial(Conflict):
    """A change of a trial where none runs."""

    code = "not_in_trial"


class TrialRefused(Refusal):
    """An end of a trial that cannot be."""

    code = "trial_refused"


class TermRefused(Refusal):
    """An end of the agreed term that cannot be: before what has been served, or no renewal, extension or shortening."""

    code = "term_refused"


class NoSuchAddOn(NotFound):
    """An add-on that does not run at the instant of the change."""

    code = "no_such_add_on"


class TransferRefused(Refusal):
    """A subscription that cannot be continued by another customer as it stands."""

    code = "transfer_refused"


class NoSuchDiscount(NotFound):
    """A discount that the subscription does not have at the instant of the change."""

    code = "no_such_discount"
