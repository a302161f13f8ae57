"""A price is checked when it is made, names the field that is wrong, and has one JSON text."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tenor.pricing.charges import (
    Graduated,
    InvalidPrice,
    Matrix,
    MatrixCell,
    Price,
    Standard,
    Tier,
    UnpricedDimension,
    from_json,
    to_json,
)


def graduated(*tiers: dict[str, Any]) -> dict[str, Any]:
    return {"model": "graduated", "tiers": list(tiers)}


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        ({}, "missing_price_field", "model"),
        ({"model": "surprise"}, "unknown_charge_model", "model"),
        ({"model": "standard"}, "missing_price_field", "unit_amount"),
        ({"model": "standard", "unit_amount": None}, "missing_price_field", "unit_amount"),
        ({"model": "standard", "unit_amount": "5", "unit_price": "5"}, "unknown_price_field", "unit_price"),
        ({"model": "standard", "unit_amount": "-1"}, "invalid_price_number", "unit_amount"),
        ({"model": "standard", "unit_amount": "NaN"}, "invalid_price_number", "unit_amount"),
        ({"model": "standard", "unit_amount": "1e999"}, "invalid_price_number", "unit_amount"),
        ({"model": "standard", "unit_amount": "٣"}, "invalid_price_number", "unit_amount"),
        ({"model": "standard", "unit_amount": True}, "invalid_price_number", "unit_amount"),
        ({"model": "standard", "unit_amount": 0.1}, "invalid_price_number", "unit_amount"),
        ({"model": "standard", "unit_amount": "1", "percent_off": "101"}, "invalid_price", "percent_off"),
        (
            {"model": "standard", "unit_amount": "1", "min_amount": "9", "max_amount": "8"},
            "invalid_price",
            "min_amount",
        ),
        ({"model": "flat", "amount": "1", "free_units": "5"}, "invalid_price", "free_units"),
        (
            {"model": "package", "size": "1", "amount": "1", "unit_conversion": {"operation": "divide", "factor": "9"}},
            "invalid_price",
            "unit_conversion",
        ),
        (
            {"model": "standard", "unit_amount": "1", "unit_conversion": {"operation": "divide", "factor": "0"}},
            "size_not_positive",
            "unit_conversion.factor",
        ),
        ({"model": "package", "size": "0", "amount": "1"}, "size_not_positive", "size"),
        ({"model": "package", "size": "1", "amount": "1", "round": "sideways"}, "invalid_price", "round"),
        ({"model": "percentage", "rate_percent": "1", "free_events": "1.5"}, "invalid_price_number", "free_events"),
        (graduated(), "missing_price_field", "tiers"),
        ({"model": "graduated", "tiers": "10 at 5"}, "invalid_price", "tiers"),
        (graduated({"unit_amount": "1"}), "missing_price_field", "tiers[0].up_to"),
        (graduated({"up_to": "10"}, {"up_to": "10"}), "tiers_not_ascending", "tiers[1].up_to"),
        (graduated({"up_to": None}, {"up_to": "10"}), "open_tier_not_last", "tiers[0].up_to"),
        (graduated({"up_to": "10", "unit_amount": "x"}), "invalid_price_number", "tiers[0].unit_amount"),
        (graduated({"up_to": "10", "block_size": "5"}), "missing_price_field", "tiers[0].block_amount"),
        (
            graduated({"up_to": "10", "block_size": "0", "block_amount": "1"}),
            "size_not_positive",
            "tiers[0].block_size",
        ),
        (
            graduated({"up_to": "10", "block_size": "5", "block_amount": "1", "unit_amount": "1"}),
            "invalid_price",
            "tiers[0].unit_amount",
        ),
        ({"model": "stairstep", "tiers": [{"up_to": "1", "unit_amount": "1"}]}, "invalid_price", "tiers[0]"),
        (
            {"model": "matrix", "dimensions": ["a", "b"], "cells": [{"key": ["x"], "model": {"model": "dynamic"}}]},
            "invalid_price",
            "cells[0].key",
        ),
        (
            {
                "model": "matrix",
                "dimensions": ["a"],
                "cells": [{"key": ["x"], "model": {"model": "standard", "unit_amount": "-1"}}],
            },
            "invalid_price_number",
            "cells[0].model.unit_amount",
        ),
        (
            {
                "model": "windowed_commitment",
                "unit_amount": "1",
                "time_of_day": [{"from_minute": 0, "to_minute": 1441}],
            },
            "invalid_price",
            "time_of_day[0].to_minute",
        ),
        ({"model": "windowed_commitment", "unit_amount": "1", "true_up": "yes"}, "invalid_price", "true_up"),
    ],
)
def test_a_wrong_price_is_refused_with_its_code_and_field(body: dict[str, Any], code: str, path: str) -> None:
    with pytest.raises(InvalidPrice) as refused:
        from_json(body)

    assert refused.value.code == code
    assert refused.value.details == {"path": path}
    assert refused.value.message.startswith(f"{path}: ")


def test_a_value_made_directly_is_checked_too() -> None:
    with pytest.raises(InvalidPrice, match="unit_amount: NaN is not a finite number"):
        Standard(Decimal("NaN"))


def test_json_is_canonical() -> None:
    price = from_json(
        {
            "tiers": [{"unit_amount": "5.00", "up_to": "10", "flat_amount": None}, {"up_to": None, "unit_amount": 2}],
            "model": "graduated_percentage",  # a graduated price whose tiers may have a rate
            "percent_off": "0",
            "free_units": "1e1",
        }
    )

    assert json.dumps(to_json(price)) == (
        '{"free_units": "10", "model": "graduated", '
        '"tiers": [{"unit_amount": "5", "up_to": "10"}, {"unit_amount": "2", "up_to": null}]}'
    )
    assert price == Price(
        Graduated((Tier(Decimal(10), Decimal(5)), Tier(None, Decimal(2)))),
        free_units=Decimal(10),
    )


def test_a_matrix_refuses_what_it_does_not_price() -> None:
    matrix = Matrix(("cloud", "region"), (MatrixCell(("aws", "eu"), Standard(Decimal(1))),))

    assert matrix.model_for(("aws", "eu")) == Standard(Decimal(1))
    with pytest.raises(UnpricedDimension, match="no price for cloud = 'aws', region = 'us'"):
        matrix.model_for(("aws", "us"))


def test_a_matrix_prices_no_key_twice() -> None:
    cell = MatrixCell(("aws",), Standard(Decimal(1)))

    with pytest.raises(InvalidPrice, match="priced twice"):
        Matrix(("cloud",), (cell, cell))
