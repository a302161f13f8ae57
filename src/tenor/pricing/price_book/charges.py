"""What the file may say about a charge: one row for each kind, and the checks between its fields."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tenor.catalog import Condition, Filter
from tenor.kernel.calendar import Interval
from tenor.kernel.errors import Malformed
from tenor.kernel.quantity import plain
from tenor.pricing.charges import Flat, Price, to_json
from tenor.pricing.definition import filter_to_json, interval_from_json, interval_to_json
from tenor.pricing.model import STANDARD_TAX_CATEGORY, ChargeKind, SeatCounting, Timing
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.fields import (
    IN_THIS_FILE,
    Field,
    Reader,
    Spot,
    Unreadable,
    attempt,
    choice,
    code,
    flag,
    not_above,
    number,
    one_of,
    peek,
    read_fields,
    reference,
    spots_below,
    text,
    texts,
)
from tenor.pricing.price_book.intervals import fit_together, in_words, interval, is_window_of
from tenor.pricing.price_book.prices import (
    MODELS,
    SEAT_MODELS,
    UNIT_MODELS,
    Fields,
    ModelFormat,
    model_word,
    read_model,
)

ChargeBody = dict[str, Any]
"""A charge in the definition of a plan; see `tenor.pricing.definition`."""


class Surroundings(NamedTuple):
    """What a charge must agree with. `plan_interval` is None when the plan's own is wrong (and reported).

    `declared` says where the metrics are.
    """

    money: Reader[Decimal]
    metrics: frozenset[str]
    plan_interval: Interval | None
    declared: str = IN_THIS_FILE


class KindFormat(NamedTuple):
    """What a kind of charge may hold: the first timing is the default; without models its price is an `amount`."""

    timings: tuple[Timing, ...]
    models: Mapping[str, ModelFormat]
    keys: tuple[str, ...]


FILTER_PROPERTIES_MAX: Final = 10

_MODIFIERS: Final = ("included", "minimum", "maximum")

KINDS: Final[Mapping[ChargeKind, KindFormat]] = MappingProxyType(
    {
        ChargeKind.RECURRING: KindFormat((Timing.ADVANCE, Timing.ARREARS), {}, ("interval", "prorate")),
        ChargeKind.SEAT: KindFormat(
            (Timing.ADVANCE, Timing.ARREARS), SEAT_MODELS, ("interval", "prorate", "quantity", "counting", *_MODIFIERS)
        ),
        ChargeKind.USAGE: KindFormat(
            (Timing.ARREARS, Timing.ADVANCE), MODELS, ("interval", "metric", "filter", "tier_window", *_MODIFIERS)
        ),
        ChargeKind.ONE_OFF: KindFormat((Timing.ADVANCE,), {}, ()),
        ChargeKind.COMMITMENT: KindFormat((Timing.ARREARS,), {}, ("interval", "prorate")),
        ChargeKind.CAP: KindFormat((Timing.ARREARS,), {}, ("interval", "prorate")),
    }
)
_COMMON: Final[Fields] = MappingProxyType(
    {
        "code": Field(code),
        "name": Field(text),
        "kind": Field(one_of([kind.value for kind in ChargeKind])),
        "tax_category": Field(code, STANDARD_TAX_CATEGORY),
    }
)


def read_charge(spot: Spot, around: Surroundings) -> ChargeBody:
    """Read a charge as its body in the definition of a plan."""
    kind = peek(spot, "kind", choice(ChargeKind))
    if kind is None:
        read_fields(spot, _COMMON, may_hold_others=True)
        raise Unreadable
    form = KINDS[kind]
    fields = _fields(spot, form, around)
    if form.models:
        model, values = read_model(spot, form.models, fields)
    else:
        values = read_fields(spot, {**fields, "amount": Field(around.money)})
        model = Flat(values["amount"])
    price = Price(
        model,
        free_units=values.get("included", Decimal(0)),
        min_amount=values.get("minimum"),
        max_amount=values.get("maximum"),
    )
    return _body(values, price)


def _fields(spot: Spot, form: KindFormat, around: Surroundings) -> Fields:
    """Return the fields beside those of the charge model.

    The readers know what else the charge says, so that a contradiction is found whatever else is wrong.
    """
    model = model_word(spot)
    service = peek(spot, "interval", interval) or around.plan_interval
    of_any_kind = {
        "interval": Field(partial(_charge_interval, plan_interval=around.plan_interval), None),
        "prorate": Field(flag, default=True),
        "quantity": Field(number(), Decimal(1)),
        "counting": Field(one_of([counting.value for counting in SeatCounting]), SeatCounting.PRORATED.value),
        "metric": Field(reference("metric", around.metrics, declared=around.declared)),
        "filter": Field(_filter, ()),
        "tier_window": Field(partial(_tier_window, model=model, service=service), None),
        "included": Field(partial(_included, model=model), Decimal(0)),
        "minimum": Field(not_above(around.money, maximum=peek(spot, "maximum", around.money)), None),
        "maximum": Field(around.money, None),
    }
    timing = Field(one_of([timing.value for timing in form.timings]), form.timings[0].value)
    return {**_COMMON, "timing": timing, **{key: of_any_kind[key] for key in form.keys}}


def _charge_interval(spot: Spot, *, plan_interval: Interval | None) -> Interval:
    own = interval(spot)
    if plan_interval is not None and not fit_together(own, plan_interval):
        words = f"{in_words(own)} does not fit the plan's {in_words(plan_interval)}"
        raise Malformed(f"{words}: one must be a whole number of the other")
    return own


def _filter(spot: Spot) -> Filter:
    """Read the conditions of a filter: `{region: [eu, us], size: {not: small}}`."""
    if not isinstance(spot.node, tree.Mapping) or not spot.node.entries:
        raise Malformed("a filter is properties with the values that they must have: {region: [eu, us]}")
    if len(spot.node.entries) > FILTER_PROPERTIES_MAX:
        raise Malformed(f"{len(spot.node.entries)} properties; a filter has at most {FILTER_PROPERTIES_MAX}")
    read = [
        (word.text, attempt(below, _condition))
        for (word, _), below in zip(spot.node.entries, spots_below(spot), strict=True)
    ]
    if any(condition is None for _, condition in read):
        raise Unreadable
    return tuple(sorted(Condition(name, *condition) for name, condition in read if condition is not None))


def _condition(spot: Spot) -> tuple[tuple[str, ...], bool]:
    if isinstance(spot.node, tree.Mapping):
        return read_fields(spot, {"not": Field(texts)})["not"], True
    return texts(spot), False


def _tier_window(spot: Spot, *, model: str | None, service: Interval | None) -> Interval:
    window = interval(spot)
    if model in {"matrix", "percentage"}:
        raise Malformed(f"the model {model} is priced over the whole period; nothing of it begins anew inside")
    if service is not None and not is_window_of(window, service):
        raise Malformed(f"the charge's {in_words(service)} is not a whole number of windows of {in_words(window)}")
    return window


def _included(spot: Spot, *, model: str | None) -> Decimal:
    if model is not None and model not in UNIT_MODELS:
        raise Malformed(f"the model {model} does not price a number of units, of which some could be included")
    return number()(spot)


def written(body: ChargeBody) -> dict[str, Any]:
    """Return what a file says of the charge of a body, but for its code and its price: each key, and what stands there.

    The price is the charge model with its keys, `included`, `minimum`, `maximum` and `tier_window`.
    """
    as_it_stands = ("name", "kind", "timing", "metric", "filter", "counting", "tax_category")
    said: dict[str, Any] = {key: body[key] for key in as_it_stands if key in body}
    if "interval" in body:
        said["interval"] = in_words(interval_from_json(body["interval"]))
    allowed = KINDS[ChargeKind(body["kind"])].keys
    if "prorate" in allowed:
        said["prorate"] = str(body["is_prorated"]).lower()
    if "quantity" in allowed:
        said["quantity"] = body["quantity"]
    return said


def _body(values: Mapping[str, Any], price: Price) -> ChargeBody:
    body = {
        "code": values["code"],
        "name": values["name"],
        "kind": values["kind"],
        "timing": values["timing"],
        "price": to_json(price),
        "quantity": plain(values.get("quantity", Decimal(1))),
        "is_prorated": values.get("prorate", False),
    }
    if values.get("metric"):
        body["metric"] = values["metric"]
    if values.get("counting", SeatCounting.PRORATED) != SeatCounting.PRORATED:
        body["counting"] = values["counting"]
    if values.get("filter"):
        body["filter"] = filter_to_json(values["filter"])
    if values["tax_category"] != STANDARD_TAX_CATEGORY:
        body["tax_category"] = values["tax_category"]
    for key in ("interval", "tier_window"):
        if values.get(key):
            body[key] = interval_to_json(values[key])
    return body
