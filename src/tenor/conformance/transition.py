"""Answer cases of kind transition: which state a trigger leads to, or that the move is refused."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tenor.conformance.cases import Case
from tenor.conformance.machines.dunning import matches, stage_reached
from tenor.conformance.machines.invoice import INVOICE
from tenor.conformance.machines.payment import ATTEMPT, PAYMENT, TRANSACTION
from tenor.conformance.machines.subscription import subscription_move
from tenor.conformance.machines.table import Situation, Table, move

_TABLES: Final[Mapping[str, Table]] = {
    "payment": PAYMENT,
    "payment_attempt": ATTEMPT,
    "payment_transaction": TRANSACTION,
    "invoice": INVOICE,
}


def answer(case: Case) -> Mapping[str, Any]:
    """Return where the case's machine stands after the trigger: `to`, and `at_period_end` or `matches` where asked."""
    machine = str(case.body["machine"])
    if machine in _TABLES:
        return {"to": move(_TABLES[machine], _situation(case))}
    return _OTHERS[machine](case)


def _subscription(case: Case) -> Mapping[str, Any]:
    return subscription_move(case.profile, _situation(case))._asdict()


def _dunning(case: Case) -> Mapping[str, Any]:
    return {"to": stage_reached(case.body["stages"], case.body.get("given", {}))}


def _dunning_condition(case: Case) -> Mapping[str, Any]:
    return {"matches": matches(case.body["condition"], case.body.get("given", {}))}


def _situation(case: Case) -> Situation:
    body = case.body
    return Situation(body.get("from"), body["trigger"], body.get("given", {}), case.policy().states)


_OTHERS: Final[Mapping[str, Callable[[Case], Mapping[str, Any]]]] = {
    "subscription": _subscription,
    "dunning": _dunning,
    "dunning_condition": _dunning_condition,
}
