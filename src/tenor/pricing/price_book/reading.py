"""Read the file of a price book: either a complete draft, or every problem that it has."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from tenor.catalog import Aggregation, Feature, Metric, Product
from tenor.kernel.calendar import Interval
from tenor.kernel.errors import Malformed
from tenor.kernel.money import RoundingMode, exponent, round_decimal
from tenor.kernel.quantity import plain
from tenor.pricing.definition import interval_from_json, interval_to_json
from tenor.pricing.model import ChargeKind, TaxMode
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.charges import Surroundings, read_charge
from tenor.pricing.price_book.draft import PlanDraft, PriceBookDraft
from tenor.pricing.price_book.fields import (
    Field,
    Reader,
    Spot,
    T,
    Unreadable,
    attempt,
    choice,
    code,
    instant,
    number,
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
from tenor.pricing.price_book.problems import MalformedPriceBook, Place, Problem

TRIAL_DAYS_MAX: Final = 3650


def read_price_book(source: bytes) -> PriceBookDraft:
    """Read the YAML of a price book, as docs/price-books.md describes it.

    Raises:
        MalformedPriceBook: with every problem of the file, each with its line and column.
    """
    problems: list[Problem] = []
    try:
        root = Spot(tree.read_tree(source, problems), "", problems)
        draft = _read_book(root, hashlib.sha256(source).digest())
    except Unreadable:
        raise MalformedPriceBook(problems) from None
    except MalformedPriceBook as refusal:
        raise MalformedPriceBook([*problems, *refusal.problems]) from None
    if problems:
        raise MalformedPriceBook(problems)
    return draft


def _read_book(root: Spot, source_digest: bytes) -> PriceBookDraft:
    around = Declared(
        currency=peek(root, "currency", _currency),
        products=_declared(root, "products"),
        metrics=_declared(root, "metrics"),
        features=_declared(root, "features"),
    )
    values = read_fields(
        root,
        {
            "price_book": Field(code),
            "currency": Field(_currency),
            "tax_mode": Field(choice(TaxMode)),
            "effective": Field(instant),
            "products": Field(_coded(_product)),
            "metrics": Field(_coded(_metric), ()),
            "features": Field(_coded(_feature), ()),
            "plans": Field(_coded(partial(_plan, around=around))),
        },
    )
    return PriceBookDraft(
        code=values["price_book"],
        currency=values["currency"],
        tax_mode=values["tax_mode"],
        effective_at=values["effective"],
        products=values["products"],
        metrics=values["metrics"],
        features=values["features"],
        plans=values["plans"],
        source_digest=source_digest,
        places=dict(_places(root)),
    )


class Declared(NamedTuple):
    """What the rest of the file declares, as far as it can be read; `currency` is None when it is wrong."""

    currency: str | None
    products: frozenset[str]
    metrics: frozenset[str]
    features: frozenset[str]


def _product(spot: Spot) -> Product:
    return Product(**read_fields(spot, {"code": Field(code), "name": Field(text)}))


def _feature(spot: Spot) -> Feature:
    return Feature(**read_fields(spot, {"code": Field(code), "name": Field(text)}))


def _metric(spot: Spot) -> Metric:
    aggregation = peek(spot, "aggregation", choice(Aggregation))
    fields = {
        "code": Field(code),
        "name": Field(text),
        "aggregation": Field(choice(Aggregation)),
        "field": _aggregated_field(aggregation),
        "unit": Field(text, "unit"),
    }
    return Metric(**read_fields(spot, fields))


def _aggregated_field(aggregation: Aggregation | None) -> Field:
    def refuse(_spot: Spot) -> str:
        raise Malformed("a count counts events; it has no field")

    if aggregation is Aggregation.COUNT:
        return Field(refuse, None)
    return Field(text, None) if aggregation is None else Field(text)


def _plan(spot: Spot, *, around: Declared) -> PlanDraft:
    plan_interval = peek(spot, "interval", interval)
    surroundings = Surroundings(_money(around.currency), around.metrics, plan_interval)
    values = read_fields(
        spot,
        {
            "code": Field(code),
            "name": Field(text),
            "product": Field(reference("product", around.products)),
            "interval": Field(interval),
            "trial_days": Field(whole_number(at_most=TRIAL_DAYS_MAX), 0),
            "features": Field(partial(_granted, features=around.features), {}),
            "charges": Field(partial(_charges, around=surroundings)),
        },
    )
    definition = {
        "interval": interval_to_json(values["interval"]),
        "trial_days": values["trial_days"],
        "features": values["features"],
        "charges": values["charges"],
    }
    return PlanDraft(values["code"], values["name"], values["product"], definition)


def _charges(spot: Spot, *, around: Surroundings) -> list[dict[str, Any]]:
    charges = read_items(spot, partial(read_charge, around=around))
    report_repeated("code", [(below, (word,)) for below, word in _codes(spot)])
    _report_repeated_commitments(charges, around.plan_interval)
    return [body for _, body in charges]


def _report_repeated_commitments(charges: list[tuple[Spot, dict[str, Any]]], plan_interval: Interval | None) -> None:
    """Report a commitment over the same periods as an earlier one: each would top up to its own amount."""
    if plan_interval is None:
        return
    first: dict[tuple[int, int, int], Spot] = {}
    for item, body in charges:
        if body["kind"] == ChargeKind.COMMITMENT:
            over = interval_from_json(body["interval"]) if "interval" in body else plan_interval
            earlier = first.setdefault(length(over), item)
            if earlier is not item:
                line = earlier.node.place.line
                item.report(f"there is a second commitment over each {in_words(over)}; the first is on line {line}")


def _granted(spot: Spot, *, features: frozenset[str]) -> dict[str, str | None]:
    """Read the features of a plan: each a code, or `{code: limit}`."""

    def read_grant(spot: Spot) -> tuple[str, str | None]:
        if not isinstance(spot.node, tree.Mapping):
            return reference("feature", features)(spot), None
        if len(spot.node.entries) != 1:
            raise Malformed("a feature is its code, or its code with a limit: {api_calls: 1000}")
        ((word, value),) = spot.node.entries
        limit = attempt(spot.at(value, f".{word.text}"), number())
        feature = reference("feature", features)(spot.at(word, ""))
        return feature, None if limit is None else plain(limit)

    granted = read_items(spot, read_grant)
    report_repeated("feature", [(item, (feature,)) for item, (feature, _) in granted])
    return dict(grant for _, grant in granted)


def _currency(spot: Spot) -> str:
    word = text(spot)
    exponent(word)  # refuses what is no currency
    return word


def _money(currency: str | None) -> Reader[Decimal]:
    """Return the reader of an amount that is billed as it stands: whole minor units of the currency."""

    def read(spot: Spot) -> Decimal:
        amount = number()(spot)
        if currency is not None and amount != round_decimal(amount, digits=exponent(currency), mode=RoundingMode.FLOOR):
            raise Malformed(
                f"{plain(amount)} is finer than {currency}, which has {exponent(currency)} digits after the point"
            )
        return amount

    return read


def _coded(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Return the reader of a list of things that each have a code of their own."""

    def read_list(spot: Spot) -> tuple[T, ...]:
        values = read_items(spot, read)
        report_repeated("code", [(below, (word,)) for below, word in _codes(spot)])
        return tuple(value for _, value in values)

    return read_list


def _declared(root: Spot, key: str) -> frozenset[str]:
    """Return the codes that the list under `key` declares, of wrong items too: they are known, only not usable."""
    spot = spot_below(root, key)
    return frozenset(word for _, word in _codes(spot)) if spot else frozenset()


def _codes(spot: Spot) -> list[tuple[Spot, str]]:
    """Return the code of each item of a list that has a readable one, with the spot of the code."""
    found = []
    for item in spots_below(spot):
        below = spot_below(item, "code")
        word = peek(item, "code", code)
        if below and word:
            found.append((below, word))
    return found


def _places(spot: Spot) -> Iterator[tuple[str, Place]]:
    """Yield the path and place of every node at and below `spot`."""
    yield spot.path, spot.node.place
    for child in spots_below(spot):
        yield from _places(child)
