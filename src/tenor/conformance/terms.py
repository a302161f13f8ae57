"""Answer cases of the kinds terms and trial_change: the day by which to pay, and the trial that is left."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from tenor.conformance.cases import Case
from tenor.invoicing.rules.payment_terms import PaymentTerms, TermsKind
from tenor.subscriptions.rules.trials import trial_end_after_change

_LATER: Final[Mapping[TermsKind, timedelta]] = {TermsKind.NET: timedelta(0), TermsKind.END_OF_MONTH: timedelta(days=1)}
"""Tenor counts from the last day of the month, the case files from the first day of the next."""

_TRIAL_BEGINS: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Any instant: a case of a trial tells days only."""


def answer(case: Case) -> Mapping[str, Any]:
    """Return the day by which a document issued on the issue date is to be paid."""
    terms = PaymentTerms(TermsKind(case.body["terms"]["kind"]), case.body["terms"].get("days", 0))
    return {"due_date": terms.due_on(date.fromisoformat(case.body["issue_date"])) + _LATER[terms.kind]}


def answer_trial_change(case: Case) -> Mapping[str, Any]:
    """Return the days of trial that are left after a change of plan, and whether the new plan is charged at once."""
    changed_at = _TRIAL_BEGINS + timedelta(days=case.body.get("days_into_trial", 0))
    ends_at = trial_end_after_change(
        _TRIAL_BEGINS + timedelta(days=case.body["current_trial_days"]), changed_at=changed_at
    )
    left = timedelta(0) if ends_at is None else ends_at - changed_at
    return {"trial_days_left": left.days, "charged_now": ends_at is None}
