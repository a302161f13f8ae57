"""Answer cases of the kinds credit_order and credit_eligibility with the engine's own rules."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from tenor.conformance.cases import Case
from tenor.kernel.period import EARLIEST, parse_instant
from tenor.wallets.model import PRIORITY_LAST, ZERO, Grant
from tenor.wallets.rules.burning import in_burn_order
from tenor.wallets.rules.eligibility import GrantTerms, PayableLine, may_pay


def answer_order(case: Case) -> Mapping[str, Any]:
    """Return the grants' ids in the order in which they burn."""
    grants = [_grant(body) for body in case.body["grants"]]
    return {"order": [grant.id for grant in in_burn_order(grants, case.policy().credits.burn_order)]}


def answer_eligibility(case: Case) -> Mapping[str, Any]:
    """Return whether the grant may pay the line; a line that does not say so is metered."""
    grant, line = case.body["grant"], case.body["line"]
    terms = GrantTerms(grant.get("currency"), _instant(grant, "effective_at"), _instant(grant, "expires_at"))
    payable = PayableLine(line.get("currency"), parse_instant(line["period_end"]), line.get("metered", True))
    return {"eligible": may_pay(terms, payable, case.policy().credits.credit_eligibility)}


def _grant(body: Mapping[str, Any]) -> Grant:
    return Grant(
        id=body["id"],
        amount=ZERO,
        effective_at=_instant(body, "effective_at") or EARLIEST,
        expires_at=_instant(body, "expires_at"),
        priority=body.get("priority", PRIORITY_LAST),
        created_at=_instant(body, "created_at"),
        category=body.get("category", "paid"),
    )


def _instant(body: Mapping[str, Any], name: str) -> datetime | None:
    return parse_instant(body[name], name=name) if body.get(name) is not None else None
