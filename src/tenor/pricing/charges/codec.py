"""Canonical JSON of a price: one value has one text, so that the hash of a plan version is stable.

Decimals are strings without trailing zeros, keys are sorted, a field at its default is left out.
The model's fields stand beside the modifiers: `{"free_units": "10", "model": "standard", "unit_amount": "5"}`.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from decimal import Decimal
from functools import cache
from types import MappingProxyType, UnionType
from typing import Any, Final, Literal, cast, get_args, get_origin, get_type_hints

from tenor.kernel.money import RoundingMode
from tenor.kernel.quantity import plain
from tenor.pricing.charges.checks import InvalidPrice, MissingPriceField, UnknownChargeModel, UnknownPriceField
from tenor.pricing.charges.models import (
    Capacity,
    ChargeModel,
    Dynamic,
    Flat,
    Graduated,
    Matrix,
    MetricSum,
    Package,
    Percentage,
    Price,
    ProratedGraduated,
    Stairstep,
    Standard,
    Volume,
)
from tenor.pricing.charges.windowed import ParallelQuotaWindows, QuotaWindows, WindowedCommitment

_NAMES: Final[Mapping[type[ChargeModel], str]] = MappingProxyType(
    {
        Standard: "standard",
        Flat: "flat",
        Graduated: "graduated",
        Volume: "volume",
        Package: "package",
        Percentage: "percentage",
        Stairstep: "stairstep",
        Dynamic: "dynamic",
        ProratedGraduated: "prorated_graduated",
        Matrix: "matrix",
        MetricSum: "metric_sum",
        Capacity: "capacity",
        WindowedCommitment: "windowed_commitment",
        QuotaWindows: "quota_windows",
        ParallelQuotaWindows: "parallel_quota_windows",
    }
)
MODELS: Final[Mapping[str, type[ChargeModel]]] = MappingProxyType(
    {name: model for model, name in _NAMES.items()} | {"graduated_percentage": Graduated}
)
"""Every name that `model` may have. A graduated percentage is a graduated price whose tiers have `rate_percent`."""

_MODIFIERS: Final = frozenset(field.name for field in fields(Price)) - {"model"}


def to_json(price: Price) -> dict[str, Any]:
    """Return `price` as plain JSON values in canonical form."""
    return dict(sorted({**_fields_to_json(price, skip="model"), **_to_json(price.model)}.items()))


def from_json(body: Mapping[str, Any]) -> Price:
    """Read a price from its JSON: the inverse of `to_json`, and just as strict as the constructors.

    Numbers are strings or integers, never floats. Defaults may be left out.

    Raises:
        InvalidPrice: a subclass names the reason, `path` the field (`tiers[1].up_to`).
    """
    modifiers = {name: value for name, value in body.items() if name in _MODIFIERS}
    model = _read_model({name: value for name, value in body.items() if name not in _MODIFIERS})
    return cast(Price, _read_fields(Price, modifiers, model=model))


def _to_json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, tuple):
        return [_to_json(part) for part in value]
    if is_dataclass(value):
        name = _NAMES.get(cast(Any, type(value)))
        return dict(sorted({**({"model": name} if name else {}), **_fields_to_json(value)}.items()))
    return value


def _fields_to_json(value: Any, *, skip: str = "") -> dict[str, Any]:
    parts = ((field, getattr(value, field.name)) for field in fields(value) if field.name != skip)
    return {field.name: _to_json(part) for field, part in parts if field.default is MISSING or part != field.default}


def _read_model(body: Mapping[str, Any]) -> ChargeModel:
    if "model" not in body:
        raise MissingPriceField("model", f"one of {', '.join(MODELS)}")
    name = body["model"]
    if not isinstance(name, str) or name not in MODELS:
        raise UnknownChargeModel("model", f"{str(name)[:40]!r} is none of {', '.join(MODELS)}")
    return cast(ChargeModel, _read_fields(MODELS[name], {key: body[key] for key in body if key != "model"}))


_hints: Final = cache(get_type_hints)
"""The types of a class's fields: looked up once, for every plan is read through them."""


def _read_fields(cls: type[Any], body: Mapping[str, Any], **ready: Any) -> Any:
    hints = _hints(cast(Any, cls))
    for name in body:
        if name not in hints:
            raise UnknownPriceField(str(name)[:40], f"not a field here; known: {', '.join(hints)}")
    for field in fields(cls):
        if field.default is MISSING and field.name not in body and field.name not in ready:
            raise MissingPriceField(field.name, "is needed here")
    return cls(**{name: _read_value(hints[name], value, name) for name, value in body.items()}, **ready)


def _read_value(hint: Any, raw: Any, path: str) -> Any:
    """Read `raw` as `hint` asks; numbers pass through, for the constructor reads them."""
    parts = get_args(hint)
    if raw is None and type(None) in parts:
        return None
    if isinstance(hint, UnionType) and Standard not in parts:
        hint = next(part for part in parts if isinstance(raw, list) is (get_origin(part) is tuple))  # or None
    if hint in (Decimal, int):
        if raw is None:
            raise MissingPriceField(path, "is needed here")
        return raw
    try:
        if get_origin(hint) is tuple:
            return tuple(_read_value(parts[0], part, f"[{position}]") for position, part in enumerate(_list(raw)))
        if get_origin(hint) is Literal:
            return _choice(raw, parts)
        if hint is RoundingMode:
            return RoundingMode(_choice(raw, tuple(RoundingMode)))
        if hint in (bool, str):
            return _instance(raw, hint)
        return (
            _read_model(_instance(raw, Mapping)) if Standard in parts else _read_fields(hint, _instance(raw, Mapping))
        )
    except InvalidPrice as refusal:
        raise refusal.under(path) from None


def _list(raw: Any) -> list[Any]:
    return cast(list[Any], _instance(raw, list))


def _instance(raw: Any, kind: type[Any]) -> Any:
    if not isinstance(raw, kind):
        wanted = {list: "a list", Mapping: "a set of fields", bool: "true or false", str: "a text"}[kind]
        raise InvalidPrice("", f"{str(raw)[:40]!r} is not {wanted}")
    return raw


def _choice(raw: Any, allowed: tuple[Any, ...]) -> Any:
    if raw not in allowed:
        raise InvalidPrice("", f"{str(raw)[:40]!r} is none of {', '.join(str(value) for value in allowed)}")
    return raw
