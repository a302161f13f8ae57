"""What the file may say about a price: one table of fields for each charge model.

The fields have the names of the model's class in `tenor.pricing.charges`. Unit prices may be as fine as the
kernel allows; amounts that are billed as they stand may not be finer than the currency (see `charges`).
"""

from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from tenor.kernel.errors import Malformed
from tenor.kernel.quantity import plain
from tenor.pricing.charges import (
    ChargeModel,
    DimensionKey,
    Dynamic,
    Graduated,
    Matrix,
    MatrixCell,
    Package,
    Percentage,
    Stairstep,
    Standard,
    Tier,
    Volume,
)
from tenor.pricing.price_book import tree
from tenor.pricing.price_book.fields import (
    Field,
    Reader,
    Spot,
    Unreadable,
    not_above,
    number,
    one_of,
    peek,
    read_fields,
    read_items,
    report_repeated,
    spot_below,
    spots_below,
    text,
    texts,
    whole_number,
)

Fields = Mapping[str, Field]

MODEL_DEFAULT: Final = "standard"
FREE_EVENTS_MAX: Final = 1_000_000

_PRICE: Final = number()
_PERCENT: Final = number(at_most=100)
_SIZE: Final = number(above_zero=True)


class ModelFormat(NamedTuple):
    """The fields of a charge model, for the mapping that holds them, and what makes the model from their values."""

    fields: Callable[[Spot], Fields]
    make: Callable[..., ChargeModel]


def read_model(spot: Spot, models: Mapping[str, ModelFormat], beside: Fields) -> tuple[ChargeModel, dict[str, Any]]:
    """Read one of `models` from a mapping that holds the fields `beside` too; return it and their values."""
    form = models.get(model_word(spot) or "")
    own = form.fields(spot) if form else {}
    fields = {"model": Field(one_of(models), MODEL_DEFAULT), **own, **beside}
    values = read_fields(spot, fields, may_hold_others=form is None)
    model = models[values.pop("model")].make(**{key: values.pop(key) for key in own})
    return model, values


def model_word(spot: Spot) -> str | None:
    """Return the word for the charge model of a mapping, or None when there is no such model (its field reports it)."""
    return peek(spot, "model", one_of(MODELS)) if spot_below(spot, "model") else MODEL_DEFAULT


def _tiers(fields: Fields) -> Reader[tuple[Tier, ...]]:
    """Return the reader of tiers that hold `fields` beside `up_to`."""

    def read_tier(spot: Spot) -> Tier:
        is_priced = any(spot_below(spot, key) for key in fields)
        asked = fields if is_priced else {key: Field(field.read) for key, field in list(fields.items())[:1]}
        return Tier(**read_fields(spot, {"up_to": Field(_up_to, None), **asked}))

    def read(spot: Spot) -> tuple[Tier, ...]:
        before = len(spot.problems)
        tiers = read_items(spot, read_tier)
        for (lower_spot, lower), (upper_spot, upper) in pairwise(tiers):
            if lower.up_to is None:
                lower_spot.report("only the last tier may be open; give this one an up_to")
            elif upper.up_to is not None and upper.up_to <= lower.up_to:
                end = f"{plain(upper.up_to)} is not above {plain(lower.up_to)}, where the tier below ends"
                (spot_below(upper_spot, "up_to") or upper_spot).report(end)
        last = spots_below(spot)[-1:]
        if not last:
            spot.report("there is no tier")
        elif tiers and tiers[-1][0] == last[0] and tiers[-1][1].up_to is not None:
            last[0].report("the last tier must be open, or more units would cost nothing", "leave out its up_to")
        if len(spot.problems) > before:
            raise Unreadable
        return tuple(tier for _, tier in tiers)

    return read


def _up_to(spot: Spot) -> object:
    if isinstance(spot.node, tree.Scalar) and spot.node.is_null:
        return None
    return _SIZE(spot)


def _matrix_fields(spot: Spot) -> Fields:
    dimensions = peek(spot, "dimensions", _dimensions)
    return {
        "dimensions": Field(_dimensions),
        "prices": Field(partial(_cells, dimensions=dimensions)),
        "default": Field(_cell_model, None),
    }


def _dimensions(spot: Spot) -> tuple[str, ...]:
    names = tuple(name for _, name in read_items(spot, text))
    if not names or len(set(names)) < len(names):
        raise Malformed("a matrix needs the names of its dimensions, each once")
    return names


def _cells(spot: Spot, *, dimensions: tuple[str, ...] | None) -> tuple[MatrixCell, ...]:
    """Read the prices of a matrix; with `dimensions` unknown (and reported) only the prices are checked."""

    def read_key(spot: Spot) -> DimensionKey:
        if dimensions is None:
            return ()
        return tuple(read_fields(spot, {name: Field(_asked, None) for name in dimensions}).values())

    def read_cell(spot: Spot) -> MatrixCell:
        model, values = read_model(spot, _CELL_MODELS, {"when": Field(read_key)})
        return MatrixCell(values["when"], model)

    cells = read_items(spot, read_cell)
    if dimensions is not None:
        report_repeated("price for", [(cell_spot, _key_words(cell.key)) for cell_spot, cell in cells])
    return tuple(cell for _, cell in cells)


def _asked(spot: Spot) -> str | tuple[str, ...]:
    """Read what a cell asks of a dimension: a value, or a list of values of which any will do."""
    values = texts(spot)
    return values[0] if len(values) == 1 else values


def _key_words(key: DimensionKey) -> tuple[str, ...]:
    return tuple("any" if asked is None else asked if isinstance(asked, str) else " or ".join(asked) for asked in key)


def _cell_model(spot: Spot) -> ChargeModel:
    model, _ = read_model(spot, _CELL_MODELS, {})
    return model


def _percentage_of_events(spot: Spot) -> Fields:
    return {
        **_PERCENTAGE_OF_TOTAL(spot),
        "fixed_amount": Field(_PRICE, 0),
        "free_events": Field(whole_number(at_most=FREE_EVENTS_MAX), None),
        "min_per_event": Field(not_above(_PRICE, maximum=peek(spot, "max_per_event", _PRICE)), None),
        "max_per_event": Field(_PRICE, None),
    }


def _make_matrix(
    *, dimensions: tuple[str, ...], prices: tuple[MatrixCell, ...], default: ChargeModel | None
) -> ChargeModel:
    return Matrix(dimensions, prices, default)


def _always(fields: Fields) -> Callable[[Spot], Fields]:
    return lambda _spot: fields


_GRADED: Final = _always(
    {"tiers": Field(_tiers({"unit_amount": Field(_PRICE, None), "flat_amount": Field(_PRICE, None)}))}
)
_GRADED_PERCENTAGE: Final = _always(
    {"tiers": Field(_tiers({"rate_percent": Field(_PERCENT), "flat_amount": Field(_PRICE, None)}))}
)
_STEPS: Final = _always(
    {"tiers": Field(_tiers({"flat_amount": Field(_PRICE)})), "zero_usage_amount": Field(_PRICE, None)}
)
_PACKAGE: Final = _always({"size": Field(_SIZE), "amount": Field(_PRICE), "round": Field(one_of(("up", "down")), "up")})
_PERCENTAGE_OF_TOTAL: Final = _always({"rate_percent": Field(_PERCENT), "free_amount": Field(_PRICE, None)})

MODELS: Final[Mapping[str, ModelFormat]] = MappingProxyType(
    {
        "standard": ModelFormat(_always({"unit_amount": Field(_PRICE)}), Standard),
        "graduated": ModelFormat(_GRADED, Graduated),
        "volume": ModelFormat(_GRADED, Volume),
        "package": ModelFormat(_PACKAGE, Package),
        "stairstep": ModelFormat(_STEPS, Stairstep),
        "percentage": ModelFormat(_percentage_of_events, Percentage),
        "graduated_percentage": ModelFormat(_GRADED_PERCENTAGE, Graduated),
        "dynamic": ModelFormat(_always({"multiplier": Field(_PRICE, 1)}), Dynamic),
        "matrix": ModelFormat(_matrix_fields, _make_matrix),
    }
)
"""The charge models that a price book may use, by the word for them."""

UNIT_MODELS: Final = ("standard", "graduated", "volume", "package", "stairstep")
"""The models that price a number of units, of which some can be included."""

SEAT_MODELS: Final = MappingProxyType({name: MODELS[name] for name in UNIT_MODELS})

_CELL_MODELS: Final = MappingProxyType(
    {name: form for name, form in MODELS.items() if name != "matrix"}
    | {"percentage": ModelFormat(_PERCENTAGE_OF_TOTAL, Percentage)}
)
"""The models of a cell: it prices the total of its dimensions, so a percentage there knows no single events."""
