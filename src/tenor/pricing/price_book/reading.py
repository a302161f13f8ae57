"""Read the file of a price book: either a complete draft, or every problem that it has."""

import hashlib
from collections.abc import Iterator
from functools import partial
from typing import Final

from tenor.catalog import Aggregation, Feature, Metric, Product, UnitRounding
from tenor.catalog.rules import parse_expression
from tenor.kernel.errors import Malformed
from tenor.kernel.money import RoundingMode, exponent
from tenor.kernel.quantity import parse_decimal, plain
from tenor.pricing.model import TaxMode
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.draft import PriceBookDraft
from tenor.pricing.price_book.fields import (
    Field,
    Reader,
    Spot,
    T,
    choice,
    code,
    flag,
    instant,
    peek,
    read_document,
    read_fields,
    read_items,
    report_repeated,
    spot_below,
    spots_below,
    text,
)
from tenor.pricing.price_book.plans import Declared, codes_of, read_plan
from tenor.pricing.price_book.problems import Place

ROUNDING_DIGITS_MAX: Final = 12


def read_price_book(source: bytes) -> PriceBookDraft:
    """Read the YAML of a price book, as docs/price-books.md describes it.

    Raises:
        MalformedPriceBook: with every problem of the file, each with its line and column.
    """
    return read_document(source, partial(_read_book, source_digest=hashlib.sha256(source).digest()))


def _read_book(root: Spot, *, source_digest: bytes) -> PriceBookDraft:
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
            "plans": Field(_coded(partial(read_plan, around=around))),
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
        "field": _aggregated_field(spot, aggregation),
        "unit": Field(text, "unit"),
        "expression": Field(_expression, None),
        "recurring": Field(flag, default=False),
        "prorated": Field(flag, default=False),
        "rounding": Field(_rounding, None),
    }
    if aggregation is not None:
        for key, problem in _unusable(aggregation):
            fields[key] = fields[key]._replace(read=_refusing(fields[key].read, problem))
    return Metric(**read_fields(spot, fields))


def _aggregated_field(spot: Spot, aggregation: Aggregation | None) -> Field:
    """Return the reader of the field that is aggregated; an expression may stand in its place."""
    if spot_below(spot, "expression") is not None and (aggregation is None or aggregation.measures_numbers):
        return Field(_refusing(text, "the expression says what is measured; write one of the two"), None)
    return Field(text, None) if aggregation in {None, Aggregation.COUNT} else Field(text)


def _unusable(aggregation: Aggregation) -> Iterator[tuple[str, str]]:
    """Yield the keys that an aggregation has no use for, each with the reason."""
    if aggregation is Aggregation.COUNT:
        yield "field", "a count counts events; it has no field"
    if not aggregation.measures_numbers:
        yield "expression", f"{aggregation} does not go by a number; it has no expression"
    if not aggregation.carries:
        yield "recurring", f"{aggregation} leaves nothing that could carry over into the next period"
    if not aggregation.is_additive:
        yield "prorated", f"{aggregation} is not a sum of what events add; its events have no share of the period"


def _refusing(read: Reader[T], problem: str) -> Reader[T]:
    """Return the reader of a value that must not be there: only `false` may, which says nothing."""

    def read_nothing(spot: Spot) -> T:
        value = read(spot)
        if value is False:
            return value
        raise Malformed(problem)

    return read_nothing


def _expression(spot: Spot) -> str:
    if not isinstance(spot.node, tree.Scalar):
        raise Malformed("here must be an expression such as '(input * 3 + output * 15) / 1000'")
    return parse_expression(spot.node.text.strip()).text


def _rounding(spot: Spot) -> UnitRounding:
    return UnitRounding(**read_fields(spot, {"mode": Field(choice(RoundingMode)), "digits": Field(_digits, 0)}))


def _digits(spot: Spot) -> int:
    value = parse_decimal(text(spot), name="value")
    if value != int(value) or abs(value) > ROUNDING_DIGITS_MAX:
        raise Malformed(f"{plain(value)} is not a whole number from -{ROUNDING_DIGITS_MAX} to {ROUNDING_DIGITS_MAX}")
    return int(value)


def _currency(spot: Spot) -> str:
    word = text(spot)
    exponent(word)  # refuses what is no currency
    return word


def _coded(read: Reader[T]) -> Reader[tuple[T, ...]]:
    """Return the reader of a list of things that each have a code of their own."""

    def read_list(spot: Spot) -> tuple[T, ...]:
        values = read_items(spot, read)
        report_repeated("code", [(below, (word,)) for below, word in codes_of(spot)])
        return tuple(value for _, value in values)

    return read_list


def _declared(root: Spot, key: str) -> frozenset[str]:
    """Return the codes that the list under `key` declares, of wrong items too: they are known, only not usable."""
    spot = spot_below(root, key)
    return frozenset(word for _, word in codes_of(spot)) if spot else frozenset()


def _places(spot: Spot) -> Iterator[tuple[str, Place]]:
    """Yield the path and place of every node at and below `spot`."""
    yield spot.path, spot.node.place
    for child in spots_below(spot):
        yield from _places(child)
