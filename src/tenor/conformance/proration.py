"""Answer cases of kind proration: translate the case, ask the proration rules, translate back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from tenor.conformance.cases import Case, read_when
from tenor.kernel.calendar import Interval, Unit, days_between, local_date
from tenor.kernel.errors import Malformed
from tenor.kernel.money import EXACT
from tenor.kernel.period import Period
from tenor.pricing.policy import Policy
from tenor.pricing.rules.proration import (
    ChangedKind,
    InvoicedLine,
    ItemCredit,
    ItemLine,
    PriceChange,
    QuantityChange,
    Share,
    TerminatedCharge,
    allocate_credits,
    anchor_move,
    billed_days,
    capped,
    change_lines,
    direction,
    exact_part,
    netted,
    round_part,
    seat_units,
    share_of,
    share_of_grant,
    share_of_year,
    termination_credit,
)

_ZERO = Decimal(0)
_CHANGED_KIND = {"usage": ChangedKind.USAGE, "one_off": ChangedKind.ONE_OFF}


def answer(case: Case) -> Mapping[str, Any]:
    """Return the figures that the case can be asked for, amounts in major units of its currency."""
    question = _Question(case, case.policy(), case.zone())
    if "timezone" in case.body and case.body["timezone"] is None and question.policy.proration.proration_unit == "day":
        raise Malformed("days are local: proration by days needs a time zone")
    with localcontext(EXACT):
        return _ANSWERS[str(case.ask)](question)


@dataclass(frozen=True, slots=True)
class _Question:
    """A case with its policy and zone."""

    case: Case
    policy: Policy
    zone: tzinfo

    @property
    def body(self) -> Mapping[str, Any]:
        return self.case.body

    def amount(self, name: str) -> Decimal:
        return Decimal(self.body.get(name, "0"))

    def span(self, name: str) -> Period:
        start, end = (read_when(value, self.zone) for value in self.body[name])
        return Period(start, end)

    def share(self) -> Share | None:
        return share_of(
            period=self.span("period"), used=self.span("used"), policy=self.policy.proration, zone=self.zone
        )

    def exact(self, amount: Decimal, share: Share | None) -> Fraction:
        return exact_part(
            amount,
            share,
            day_rate=self.policy.rounding.day_rate_rounding,
            currency_digits=self.case.currency_digits,
        )

    def rounded(self, value: Fraction) -> Decimal:
        return round_part(value, self.policy.rounding.rounding, currency_digits=self.case.currency_digits)

    def days(self) -> dict[str, int]:
        """Return the lengths in local days that any answer may be asked for."""
        return {
            name: days_between(self.span(field), self.zone)
            for name, field in (("days_used", "used"), ("days_in_period", "period"))
            if field in self.body
        }

    def cap(self) -> Decimal | None:
        """Return what credits may still come to: what was paid, else billed, less earlier credits; None if unknown."""
        if "paid" in self.body:
            basis = self.amount("paid")
        elif self.body.get("billed"):
            basis = sum((Decimal(amount) for amount in self.body["billed"]), _ZERO)
        else:
            return None
        return basis - self.amount("credited_before")


def _amount(question: _Question) -> Mapping[str, Any]:
    amount, share = question.amount("amount"), question.share()
    exact = question.exact(amount, share)
    rounded = question.rounded(exact)
    if amount < 0:
        rounded = -capped(-rounded, -amount - question.amount("credited_before"))
    lines = 0 if question.span("used").is_empty else 1
    return {"amount": rounded, "precise": exact, "ratio": _ratio(share), "line_count": lines, **question.days()}


def _ratio_of_span(question: _Question) -> Mapping[str, Any]:
    return {"ratio": _ratio(question.share()), **question.days()}


def _days(question: _Question) -> Mapping[str, Any]:
    return {"days": billed_days(question.span("used"), question.policy.proration, question.zone), **question.days()}


def _true_up(question: _Question) -> Mapping[str, Any]:
    minimum = question.rounded(question.exact(question.amount("amount"), question.share()))
    missing = max(minimum - question.rounded(Fraction(question.amount("charged_before"))), _ZERO)
    rate = Decimal(question.body.get("pricing_unit", {}).get("conversion_rate", "1"))
    return {"amount": question.rounded(Fraction(missing * rate)), **question.days()}


def _grant(question: _Question) -> Mapping[str, Any]:
    share = share_of_grant(
        period=question.span("period"),
        used=question.span("used"),
        policy=question.policy.proration,
        zone=question.zone,
    )
    exact = question.exact(question.amount("amount"), share)
    return {"amount": question.rounded(exact), "precise": exact, "ratio": _ratio(share), **question.days()}


def _changes(question: _Question) -> Mapping[str, Any]:
    body = question.body
    share = question.share()
    every = body.get("price_interval", {})
    if every.get("interval") == Unit.YEAR:
        share = share_of_year(used=question.span("used"), years=every["interval_count"], zone=question.zone)
    lines = change_lines(
        _price_changes(body),
        share=share,
        kind=_CHANGED_KIND.get(body.get("charge_kind", ""), ChangedKind.BY_TIME),
        policy=question.policy.proration,
        rounding=question.policy.rounding,
        currency_digits=question.case.currency_digits,
        credit_cap=question.cap(),
    )
    return {
        "credit": lines.credit,
        "charge": lines.charge,
        "net": lines.net,
        "line_amounts": lines.amounts,
        "line_count": len(lines.amounts),
        "amount_due": max(lines.net, _ZERO),
        "customer_balance": max(-lines.net, _ZERO),
        "ratio": _ratio(share),
        "direction": _direction(question)["direction"],
        "quantity": _quantity(body["changes"][-1]),
        **question.days(),
    }


def _direction(question: _Question) -> Mapping[str, Any]:
    return {"direction": direction(_price_changes(question.body), question.policy.proration.upgrade_test)}


def _credit_cap(question: _Question) -> Mapping[str, Any]:
    return {"credit": -capped(question.amount("amount"), question.cap())}


def _netting(question: _Question) -> Mapping[str, Any]:
    lines = [ItemLine(line["item"], Decimal(line["amount"])) for line in question.body["lines"]]
    amounts = [line.amount for line in netted(lines, question.policy.proration)]
    return {"line_amounts": amounts, "line_count": len(amounts), "net": sum(amounts, _ZERO)}


def _credit_allocation(question: _Question) -> Mapping[str, Any]:
    body = question.body
    lines = [
        InvoicedLine(
            line["id"],
            line["item"],
            Decimal(line["amount"]),
            read_when(line.get("to", "1970-01-01"), question.zone),
        )
        for line in body["invoice_lines"]
    ]
    found = allocate_credits(
        [ItemCredit(credit["item"], abs(Decimal(credit["amount"]))) for credit in body["credits"]],
        lines,
        credited_before={line: Decimal(amount) for line, amount in body.get("credited_before_by_line", {}).items()},
        link=question.policy.proration.credit_link,
    )
    return {
        "credits": [
            {"line": line, "amount": amount, "ratio": Fraction(amount) / Fraction(line_amount)}
            for line, amount, line_amount in found
        ]
    }


def _termination_credit(question: _Question) -> Mapping[str, Any]:
    unused = _needed(question.share())
    period = question.span("period")
    opens = read_when(question.body["trial_end"], question.zone) if "trial_end" in question.body else period.start
    served = Period(max(period.start, opens), question.span("used").start)
    used = _needed(share_of(period=period, used=served, policy=question.policy.proration, zone=question.zone))
    found = termination_credit(
        TerminatedCharge(
            amount=question.amount("amount"),
            tax_rate=Fraction(question.amount("tax_percent")) / 100,
            coupon=question.amount("coupon_on_line"),
            credited_before=question.amount("credited_before"),
            invoice_total=question.amount("invoice_total"),
            invoice_paid=question.amount("invoice_paid"),
        ),
        unused=unused,
        used=used,
        unused_time="credit" if question.body.get("reason") == "upgrade" else question.policy.proration.unused_time,
        rounding=question.policy.rounding,
        currency_digits=question.case.currency_digits,
    )
    return {"amount": found.total, **found._asdict(), **question.days()}


def _seat_units(question: _Question) -> Mapping[str, Any]:
    changes = [
        QuantityChange(
            Decimal(change["units"]),
            read_when(change["effective"], question.zone),
            read_when(change["recorded"], question.zone),
        )
        for change in question.body["quantity_changes"]
    ]
    period = question.span("period")
    rounding = question.policy.rounding.units_rounding
    return {"units": seat_units(changes, period=period, zone=question.zone, units_rounding=rounding)}


def _anchor_move(question: _Question) -> Mapping[str, Any]:
    period, used = question.span("period"), question.span("used")
    every = question.body.get("context", {})
    interval = Interval(Unit(every.get("interval", "month")), every.get("interval_count", 1))
    move = anchor_move(period, to=used.start, interval=interval, zone=question.zone)
    in_dates = all("T" not in value for value in question.body["period"])
    charged = [local_date(instant, question.zone) if in_dates else instant for instant in move.charged]
    return {"credit_days": move.credited_days, "charge_period": charged, "next_period_from": charged[1]}


def _price_changes(body: Mapping[str, Any]) -> list[PriceChange]:
    return [PriceChange(_price(change["old"]), _price(change["new"])) for change in body["changes"]]


def _price(price: Mapping[str, Any] | None) -> Decimal | None:
    if price is None:
        return None
    if "amount" in price:
        return Decimal(price["amount"])
    return Decimal(price["unit_amount"]) * Decimal(price.get("quantity", "1"))


def _quantity(change: Mapping[str, Any]) -> Decimal:
    """Return the quantity that a change is about: the new one, or that of an item taken away."""
    return Decimal((change["new"] or change["old"] or {}).get("quantity", "1"))


def _ratio(share: Share | None) -> Fraction | None:
    return None if share is None else share.fraction


def _needed(share: Share | None) -> Share:
    if share is None:
        raise Malformed("a termination needs a period with a share that is left")
    return share


_ANSWERS: Mapping[str, Callable[[_Question], Mapping[str, Any]]] = {
    "amount": _amount,
    "seat_fee": _amount,
    "ratio": _ratio_of_span,
    "days": _days,
    "true_up": _true_up,
    "grant": _grant,
    "changes": _changes,
    "direction": _direction,
    "credit_cap": _credit_cap,
    "netting": _netting,
    "credit_allocation": _credit_allocation,
    "termination_credit": _termination_credit,
    "seat_units": _seat_units,
    "anchor_move": _anchor_move,
}
