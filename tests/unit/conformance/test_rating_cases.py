"""Rating cases reach the engine as they are written: one small case for each thing a case can ask."""

from typing import Any

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.runner import run_case

TIERS = [
    {"up_to": "10", "unit_amount": "10", "flat_amount": "2"},
    {"up_to": None, "unit_amount": "5", "flat_amount": "3"},
]
STEPS = [
    {"up_to": "5", "flat_amount": "100"},
    {"up_to": "10", "flat_amount": "50"},
    {"up_to": None, "unit_amount": "1"},
]
PRORATED = [
    {"up_to": "5", "unit_amount": "10", "flat_amount": "100"},
    {"up_to": "15", "unit_amount": "5", "flat_amount": "50"},
    {"up_to": None, "unit_amount": "2", "flat_amount": "0"},
]
HOURLY = {"unit_amount": "2", "commitment_amount": "10", "overage_factor": "2", "true_up": True}
OFFICE_HOURS = [{"from": "09:00", "to": "17:00"}]
DAY = ["2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z"]


def case(expect: dict[str, Any], model: str, properties: dict[str, Any], usage: dict[str, Any], **body: Any) -> Case:
    """Return a rating case in US dollars under Tenor's profile, changed by `body`."""
    whole = {"currency": "USD", "model": model, "properties": properties, "usage": usage, "expect": expect, **body}
    return Case("c", "rating", whole.get("profile", "tenor"), "core", whole)


def events(*units: str, **more: Any) -> dict[str, Any]:
    return {"events": [{"units": number} for number in units], **more}


def moves(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"events": [{"units": units, "prorated_units": prorated} for units, prorated in pairs]}


def hours(*windows: tuple[int, str], **more: Any) -> dict[str, Any]:
    return {"windows": [{"at": f"2026-01-05T{hour:02}:00:00Z", "units": units} for hour, units in windows], **more}


@pytest.mark.parametrize(
    "posed",
    [
        case({"amount": "115.00", "unit_amount": "9.58333"}, "graduated", {"tiers": TIERS}, {"units": "12"}),
        case({"line_amounts": ["100", "2", "10", "3"]}, "graduated", {"tiers": TIERS}, {"units": "12"}),
        case({"tier_amounts": ["102", "13"], "line_count": 4}, "graduated", {"tiers": TIERS}, {"units": "12"}),
        case({"amount": "2.00"}, "graduated", {"tiers": TIERS}, {"units": "0"}, profile="lago"),
        case({"amount": "0.00"}, "graduated", {"tiers": TIERS}, {"units": "-5"}, profile="lago"),
        case({"amount": "62.00"}, "volume", {"tiers": TIERS}, {"units": "6"}),
        case({"unit_amount": "6.89"}, "volume", {"tiers": TIERS}, {"units": "6", "tier_units": "9"}),  # 62 / 9
        case(
            {"amount": "10.00", "packages": 2},
            "package",
            {"package_size": "10", "package_amount": "5"},
            {"units": "11"},
        ),
        case(
            {"amount": "5.00", "packages": 1},
            "package",
            {"package_size": "10", "package_amount": "5", "round": "down"},
            {"units": "19"},
        ),
        case({"amount": "20", "unit_amount": "2"}, "custom", {"script_result": {"amount": "20", "units": "10"}}, {}),
        case({"amount": "9.12"}, "dynamic", {}, {"units": "2", "events": [{"amount": "0.101"}, {"amount": "9.019"}]}),
        case(
            {"amount": "7.00", "unit_amount": "7"}, "flat", {"amount": "7"}, {"units": "1", "group": {"cloud": "aws"}}
        ),
        case({"amount": "12.00", "total_with_tax": "14.40"}, "flat", {"amount": "12"}, {}, tax_percent="20"),
        case(
            {"amount": "51.2345"},
            "standard",
            {"unit_amount": "51.2345"},
            {"units": "1"},
            policy={"rounding": {"mode": "none"}},
        ),
        case({"amount": "52"}, "standard", {"unit_amount": "51.5"}, {"units": "1"}, currency="JPY"),
        # percentages: the allowance, its crossing event, the bounds of one event
        case(
            {"amount": "11.15", "unit_amount": "0.0139375"},
            "percentage",
            {"rate_percent": "1.3", "fixed_amount": "2", "free_events": 3, "free_amount": "250"},
            events("50", "100", "250", "400"),
        ),
        case(
            {"amount": "16.142"},
            "percentage",
            {"rate_percent": "2.99", "min_per_event": "1.75", "max_per_event": "12"},
            events("10", "80", "10000"),
            policy={"rounding": {"mode": "none"}},
        ),
        case(
            {"amount": "13.794"},
            "percentage",
            {"rate_percent": "2.99", "free_amount": "30", "min_per_event": "1.75", "max_per_event": "12"},
            events("10", "80", "10000"),
            policy={"rounding": {"mode": "none"}},
        ),
        case({"amount": "0.12"}, "percentage", {"rate_percent": "2.9"}, {"units": "4"}),
        case({"amount": "0"}, "percentage", {"rate_percent": "1.3", "fixed_amount": "2"}, events("5", "-5")),
        case(
            {"amount": "13"},
            "percentage",
            {"rate_percent": "12", "fixed_amount": "2", "min_per_event": "13"},
            {"units": "0"},
            ask="single_event",
        ),
        case(
            {"amount": "0"},
            "percentage",
            {"rate_percent": "12", "fixed_amount": "2"},
            {"units": "-1"},
            ask="single_event",
        ),
        case({"amount": "6"}, "standard", {"unit_amount": "2"}, {"units": "3"}, ask="single_event"),
        # a level that moves through the tiers, back through them, and two tiers at once
        case(
            {"amount": "191.34", "unit_amount": "2.55"},
            "prorated_graduated",
            {"tiers": PRORATED},
            moves(("2", "1.4"), ("5", "2.5"), ("10", "2"), ("-6", "-2.2"), ("4", "0.667"), ("60", "2")),
        ),
        case({"amount": "370"}, "prorated_graduated", {"tiers": PRORATED}, moves(("75", "75"))),
        case(
            {"amount": "100", "unit_amount": "0"},
            "prorated_graduated",
            {"tiers": PRORATED},
            {"units": "0"},
            profile="lago",
        ),
        # segments
        case(
            {"amount": "0.00", "line_amounts": []},
            "graduated",
            {"tiers": STEPS},
            {"units": "1", "units_before": "7", "segment": "middle"},
        ),
        case({"amount": "150"}, "graduated", {"tiers": STEPS}, {"units": "5.001", "segment": "cumulative"}),
        case(
            {"amount": "4.00"},
            "standard",
            {"unit_amount": "1"},
            {"units": "5", "billed_before": "1", "segment": "difference"},
        ),
        case(
            {"amount": "0", "line_count": 0},
            "standard",
            {"unit_amount": "1"},
            {"units": "5", "billed_before": "5", "segment": "difference"},
        ),
        case({"amount": "0"}, "flat", {"amount": "9"}, {"segment": "last"}),
        case({"amount": "9"}, "flat", {"amount": "9"}, {"segment": "last"}, policy={"timing": "arrears"}),
        # what comes before and after the price
        case(
            {"billed_units": "2", "billed_units_before": "2"},
            "standard",
            {
                "unit_amount": "1",
                "unit_conversion": {"operation": "divide", "factor": "1000", "rounding": {"mode": "ceil", "digits": 0}},
            },
            {"units": "1300", "units_before": "1400", "segment": "middle"},
            profile="openmeter",
        ),
        case(
            {"billed_units": "10", "billed_units_before": "0", "discounted_units": "5"},
            "standard",
            {"unit_amount": "1", "free_units": "10"},
            {"units": "15", "units_before": "5", "segment": "middle"},
        ),
        case(
            {"amount": "25", "credits_applied": "175", "minimum_top_up": "50", "amount_before_minimum": "150"},
            "graduated",
            {"tiers": STEPS, "min_amount": "200"},
            {"units": "10", "credits": ["175"]},
        ),
        case({"error": True}, "graduated", {"tiers": STEPS}, {"units": "10", "credits": ["300"]}),
        case({"error": True}, "package", {"package_size": "0", "package_amount": "1"}, {"units": "1"}),
        case(
            {"percent_discount": "100", "maximum_discount": "35", "amount_before_discounts": "200", "amount": "65"},
            "standard",
            {"unit_amount": "10", "percent_off": "50", "max_amount": "100"},
            {"units": "20", "units_before": "7", "billed_before": "35", "segment": "middle"},
        ),
        case(
            {"amount": "5", "unit_amount": "5", "pricing_unit_amount": "20"},
            "standard",
            {"unit_amount": "20", "pricing_unit": {"conversion_rate": "0.25"}},
            {"units": "1"},
        ),
        # on arrival
        case(
            {"amount": "16", "event_amounts": ["12", "0", "4"], "event_units": ["1", "0", "1"]},
            "graduated",
            {"tiers": [{"up_to": None, "unit_amount": "4", "flat_amount": "8"}]},
            {"aggregation": "unique_count", "events": [{"value": "a"}, {"value": "a"}, {"value": "b"}]},
            ask="per_event",
            policy={"flat_fee_at_zero_units": True},
        ),
        case(
            {"event_amounts": ["3", "0", "2"]},
            "standard",
            {"unit_amount": "1"},
            events("3", "2", "5", aggregation="max"),
            ask="per_event",
        ),
        case(
            {"amount": "2"},
            "standard",
            {"unit_amount": "1"},
            {"aggregation": "count", "events": [{}, {}]},
            ask="per_event",
        ),
        # volume is a running total too, and a quote of one event
        case({"amount": "62"}, "volume", {"tiers": TIERS, "min_amount": "99"}, {"units": "6", "segment": "cumulative"}),
        case({"amount": "62"}, "volume", {"tiers": TIERS}, {"units": "6"}, ask="single_event"),
        # windows: the item's own commitment, hours that inherit it, windows without a time
        case(
            {"amount": "36", "true_up": "6", "utilized": "14"},
            "windowed_commitment",
            {**HOURLY, "time_of_day": OFFICE_HOURS},
            hours((10, "2"), (18, "2"), (12, "8")),
        ),
        case(
            {"amount": "32"},
            "windowed_commitment",
            {**HOURLY, "time_of_day": OFFICE_HOURS},
            {"windows": [{"units": "2"}, {"units": "8"}]},
        ),
        case(
            {"amount": "31", "utilized": "4", "overage": "27", "true_up": "0"},
            "windowed_commitment",
            {
                "unit_amount": "3",
                "time_of_day": [
                    {"from": "00:00", "to": "06:00", "unit_amount": "1", "commitment_units": "4", "overage_factor": "2"}
                ],
            },
            hours((2, "10"), (10, "5")),
        ),
        case(
            {"window_hours": [9, 10, 11], "amount": "25"},
            "windowed_commitment",
            {
                "unit_amount": "3",
                "time_of_day": [{"from": "09:00", "to": "12:00", "commitment_amount": "5", "true_up": True}],
            },
            hours((10, "5"), period=DAY, window="hour"),
        ),
        case(
            {"window_hours": [*range(24)]}, "windowed_commitment", HOURLY, hours((10, "5"), period=DAY, window="hour")
        ),
        case(
            {"window_hours": [10]},
            "windowed_commitment",
            {**HOURLY, "true_up": False},
            hours((10, "5"), period=DAY, window="hour"),
        ),
        # quotas
        case(
            {"amount": "80", "billed_units": "160"},
            "quota_windows",
            {
                "unit_amount": "0.5",
                "windows": [
                    {"quota": "100", "used": "40"},
                    {"quota": "100", "used": "250"},
                    {"quota": "50", "used": "60"},
                ],
            },
            {},
        ),
        case(
            {"amount": "150"}, "quota_windows", {"quota_in": "amount", "windows": [{"quota": "100", "used": "250"}]}, {}
        ),
        # a commitment over the whole period
        case(
            {"true_up": "0.01", "amount": "10"},
            "commitment",
            {"commitment_amount": "10", "true_up": True},
            {"amount": "9.994"},
        ),
        case({"true_up": "0"}, "commitment", {"commitment_amount": "10", "true_up": False}, {"amount": "9"}),
    ],
)
def test_case_is_answered(posed: Case) -> None:
    outcome = run_case(posed)

    assert outcome.passed, outcome.why


@pytest.mark.parametrize(
    ("amount", "policy", "rounded"),
    [
        ("10.275", {}, "10.28"),
        ("-10.275", {}, "-10.28"),
        ("10.271", {"rounding": {"mode": "ceil", "digits": "currency"}}, "10.28"),
        ("-0.5", {"rounding": {"mode": "trunc", "digits": 0}}, "0"),
        ("1249", {"rounding": {"mode": "half_up", "digits": -2}}, "1200"),
        ("0.123456", {"rounding": {"mode": "none"}}, "0.123456"),
    ],
)
def test_rounding_case(amount: str, policy: dict[str, Any], rounded: str) -> None:
    body = {"currency": "USD", "amount": amount, "policy": policy, "expect": {"amount": rounded}}

    assert run_case(Case("c", "rounding", "tenor", "core", body)).passed


@pytest.mark.parametrize(
    ("amount", "weights", "remainder", "parts"),
    [
        ("0.05", {"C": "1", "A": "1", "B": "1"}, "largest_remainder", {"C": "0.01", "A": "0.02", "B": "0.02"}),
        ("0.05", {"C": "1", "A": "1", "B": "1"}, "last", {"C": "0.01", "A": "0.01", "B": "0.03"}),
        ("100.00", {"A": "1", "B": "2", "C": "3"}, "largest_remainder", {"A": "16.67", "B": "33.33", "C": "50"}),
    ],
)
def test_allocation_case(amount: str, weights: dict[str, str], remainder: str, parts: dict[str, str]) -> None:
    body = {
        "currency": "USD",
        "amount": amount,
        "keys": list(weights),
        "weights": list(weights.values()),
        "policy": {"remainder": remainder},
        "expect": {"parts": parts},
    }

    assert run_case(Case("c", "allocation", "tenor", "core", body)).passed
