"""Read a plan: its frame, its features and its charges, and what they must not say together."""

from collections.abc import Iterable
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from tenor.kernel.calendar import Interval
from tenor.kernel.errors import Malformed
from tenor.kernel.money import RoundingMode, exponent, round_decimal
from tenor.kernel.quantity import plain
from tenor.pricing.definition import interval_from_json, interval_to_json
from tenor.pricing.model import ChargeKind
from tenor.pricing.policy import profile_names
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.charges import ChargeBody, Surroundings, read_charge
from tenor.pricing.price_book.credits import read_credits
from tenor.pricing.price_book.draft import PlanDraft
from tenor.pricing.price_book.fields import (
    IN_THIS_FILE,
    Field,
    Reader,
    Spot,
    attempt,
    code,
    number,
    one_of,
    peek,
    read_fields,
    read_items,
    reference,
    report_repeated,
    spot_below,
    spots_below,
    text,
    whole_number,
)
from tenor.pricing.price_book.intervals import in_words, interval, length
from tenor.pricing.thresholds import UsageThresholds, thresholds_to_json

TRIAL_DAYS: Final = whole_number(at_most=3650)
"""Reads the days of a trial."""
PROFILE: Final = one_of(profile_names())
"""Reads the name of a policy profile."""

_BOUNDS: Final = frozenset({ChargeKind.COMMITMENT, ChargeKind.CAP})


class Declared(NamedTuple):
    """What the rest of the file declares, as far as it can be read; `currency` is None when it is wrong."""

    currency: str | None
    products: frozenset[str]
    metrics: frozenset[str]
    features: frozenset[str]


def read_plan(spot: Spot, *, around: Declared) -> PlanDraft:
    """Read a plan of a price book."""
    plan_interval = peek(spot, "interval", interval)
    surroundings = Surroundings(money(around.currency), around.metrics, plan_interval)
    values = read_fields(
        spot,
        {
            "code": Field(code),
            "name": Field(text),
            "product": Field(reference("product", around.products)),
            "interval": Field(interval),
            "trial_days": Field(TRIAL_DAYS, 0),
            "profile": Field(PROFILE, None),
            "usage_thresholds": Field(partial(_thresholds, money=surroundings.money), None),
            "features": Field(partial(granted_features, features=around.features), {}),
            "charges": Field(partial(_charges, around=surroundings)),
            "credits": Field(
                partial(
                    read_credits,
                    charges=_charge_codes(spot),
                    plan_interval=plan_interval,
                    currency=around.currency,
                ),
                {},
            ),
        },
    )
    definition = {
        "interval": interval_to_json(values["interval"]),
        "trial_days": values["trial_days"],
        "features": values["features"],
        "charges": values["charges"],
    }
    if values["profile"]:
        definition["profile"] = values["profile"]
    if values["credits"]:
        definition["credits"] = values["credits"]
    if values["usage_thresholds"]:
        definition["usage_thresholds"] = thresholds_to_json(values["usage_thresholds"])
    return PlanDraft(values["code"], values["name"], values["product"], definition)


def _thresholds(spot: Spot, *, money: Reader[Decimal]) -> UsageThresholds:
    values = read_fields(
        spot,
        {
            "at": Field(lambda below: tuple(amount for _, amount in read_items(below, money)), ()),
            "every": Field(money, None),
        },
    )
    return UsageThresholds(values["at"], values["every"])


def _charge_codes(spot: Spot) -> frozenset[str]:
    charges = spot_below(spot, "charges")
    return frozenset(word for _, word in codes_of(charges)) if charges else frozenset()


def _charges(spot: Spot, *, around: Surroundings) -> list[ChargeBody]:
    charges = read_charges(spot, partial(read_charge, around=around))
    if around.plan_interval is not None:
        report_rival_bounds(charges, around.plan_interval)
    return [body for _, body in charges]


def read_charges(spot: Spot, read: Reader[ChargeBody]) -> list[tuple[Spot, ChargeBody]]:
    """Read charges whose codes must differ, each by `read`; return those that can be read, with their spots."""
    charges = read_items(spot, read)
    report_repeated("code", [(below, (word,)) for below, word in codes_of(spot)])
    return charges


def report_rival_bounds(charges: Iterable[tuple[Spot, ChargeBody]], plan_interval: Interval) -> None:
    """Report a second commitment or cap over the same periods, and a cap below the commitment over them.

    Each would move the sum of the other charges without regard to its rival.
    """
    first: dict[tuple[str, tuple[int, int, int]], tuple[Spot, ChargeBody]] = {}
    for item, body in charges:
        if body["kind"] in _BOUNDS:
            over = interval_from_json(body["interval"]) if "interval" in body else plan_interval
            earlier, _ = first.setdefault((body["kind"], length(over)), (item, body))
            if earlier is not item:
                words = f"there is a second {body['kind']} over each {in_words(over)}"
                item.report(f"{words}; the first is on line {earlier.node.place.line}")
    for (kind, spanned), (item, cap) in first.items():
        _, floor = first.get((ChargeKind.COMMITMENT, spanned), (item, cap))
        if kind == ChargeKind.CAP and Decimal(cap["price"]["amount"]) < Decimal(floor["price"]["amount"]):
            least, most = floor["price"]["amount"], cap["price"]["amount"]
            item.report(f"the cap of {most} is below the commitment of {least} over the same periods")


def granted_features(spot: Spot, *, features: frozenset[str], declared: str = IN_THIS_FILE) -> dict[str, str | None]:
    """Read the features of a plan: each a code, or `{code: limit}`."""

    def read_grant(spot: Spot) -> tuple[str, str | None]:
        if not isinstance(spot.node, tree.Mapping):
            return reference("feature", features, declared=declared)(spot), None
        if len(spot.node.entries) != 1:
            raise Malformed("a feature is its code, or its code with a limit: {api_calls: 1000}")
        ((word, value),) = spot.node.entries
        limit = attempt(spot.at(value, f".{word.text}"), number())
        feature = reference("feature", features, declared=declared)(spot.at(word, ""))
        return feature, None if limit is None else plain(limit)

    granted = read_items(spot, read_grant)
    report_repeated("feature", [(item, (feature,)) for item, (feature, _) in granted])
    return dict(grant for _, grant in granted)


def money(currency: str | None) -> Reader[Decimal]:
    """Return the reader of an amount that is billed as it stands: whole minor units of the currency."""

    def read(spot: Spot) -> Decimal:
        amount = number()(spot)
        if currency is not None and amount != round_decimal(amount, digits=exponent(currency), mode=RoundingMode.FLOOR):
            raise Malformed(
                f"{plain(amount)} is finer than {currency}, which has {exponent(currency)} digits after the point"
            )
        return amount

    return read


def codes_of(spot: Spot) -> list[tuple[Spot, str]]:
    """Return the code of each item of a list that has a readable one, with the spot of the code."""
    found = []
    for item in spots_below(spot):
        below = spot_below(item, "code")
        word = peek(item, "code", code)
        if below and word:
            found.append((below, word))
    return found
