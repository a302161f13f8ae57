"""Aggregation cases reach the engine as they are written: one small case for each thing a case can ask."""

from typing import Any

import pytest

from tenor.conformance.cases import Case
from tenor.conformance.runner import run_case


def case(expect: dict[str, Any], **body: Any) -> Case:
    """Return a case over January 2026 with three events of metric field n, changed by `body`."""
    whole = {
        "metric": {"aggregation": "sum", "field": "n"},
        "period": ["2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"],
        "timezone": "UTC",
        "events": [
            {"at": "2026-01-05T00:00:00Z", "id": "a", "properties": {"n": "2", "k": "x"}},
            {"at": "2026-01-05T10:30:00Z", "id": "b", "properties": {"n": 3}},
            {"at": "2026-01-20T00:00:00Z", "id": "a", "properties": {"n": "9"}},
        ],
        "expect": expect,
        **body,
    }
    return Case("c", "aggregation", whole.get("profile", "tenor"), "core", whole)


ADVANCE = {"aggregation": "sum", "field": "n", "recurring": True, "prorated": True}
SEATS = {"aggregation": "unique_count", "field": "n"}


@pytest.mark.parametrize(
    "posed",
    [
        case({"value": "5", "count": 2, "stored_events": 2, "full_units": "5"}),
        case({"value": "12", "count": 2}, policy={"dedup_keep": "last"}),
        case({"value": "14", "count": 3}, policy={"dedup_key": ["id", "at"]}),
        case({"value": "3"}, filter={"match": {"k": [None]}}),
        case({"value": "3"}, filter={"exclude": [{"k": ["x"]}]}),
        case({"value": "2"}, filter={"stored_at": {"lt": "2026-01-05T10:30:00Z"}}),
        case({"value": "5"}, filter={"any": [{"stored_at": {"gte": "2026-01-05T00:00:00Z"}}]}),
        case({"value": "10"}, metric={"aggregation": "sum", "field": "n", "rounding": {"mode": "ceil", "digits": -1}}),
        case({"groups": [{"group": {"k": None}, "value": "3"}, {"group": {"k": "x"}, "value": "2", "count": 1}]},
             group_by=["k"]),
        case({"value": "2", "group": {"k": "x"}}, group_by=["k"], filter={"match": {"k": ["x"]}}),
        case({"value": None}, profile="openmeter", period=["2025-01-01", "2025-02-01"]),
        case({"invalid_events": ["a", "b"]}, profile="openmeter", metric={"aggregation": "sum", "field": "missing"}),
        case({"period": ["2026-01-01T00:00:00Z", "2026-01-05T10:31:00Z"], "value": "5"}, profile="openmeter",
             period=["2026-01-01T00:00:00Z", "2026-01-05T10:30:30Z"]),
        case({"period": ["2026-01-05", "2026-01-06"], "value": "5"}, period=["2026-01-05", "2026-01-06"]),
        case({"windows": [{"from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z", "value": "5"}],
              "window_count": 1, "continuous": True}, window="day", policy={"empty_windows": "omit"}),
        case({"windows": [{"index": 4, "from": "2026-01-05T00:00:00Z", "to": "2026-01-06T00:00:00Z"}],
              "window_count": 31, "continuous": True, "starts_at_local_midnight": True}, window="day"),
        case({"key": "7", "value": "1"}, metric=SEATS,
             events=[{"at": "2026-01-02T00:00:00Z", "id": "a", "properties": {"n": 7}}]),
        case({"value": "4"}, metric={"aggregation": "weighted_sum", "field": "n"}, events=[], state={"level": "4"}),
        # highest 6: 4 + 2 is no more than that, + 3 is 3 more, due for the 27 days from 5 January
        case({"value": "2.7"}, ask="increment", metric=ADVANCE, state={"current": "4", "highest": "6"}, period_days=30),
        case({"value": "8.2", "full_units": "9"}, ask="current_usage", metric=ADVANCE, events=[],
             state={"current": "4", "highest": "6", "carried_in": "5", "billed_prorated": "3.2"}),
        case({"value": "5"}, ask="renewal", metric=ADVANCE, period_days=60),
        case({"per_event": ["0.9", "1.35"]}, ask="per_event", metric=ADVANCE, period_days=60),  # × 27/60
        case({"error": True}, metric={"aggregation": "max", "field": "n", "prorated": True}),
        case({"error": True}, policy={"dedup_key": ["colour"]}),
    ],
    ids=lambda posed: " ".join(posed.body["expect"]),
)  # fmt: skip
def test_the_case_is_answered(posed: Case) -> None:
    outcome = run_case(posed)

    assert outcome.passed, outcome.why


def test_arrival_decides_which_event_was_first_where_the_case_states_it() -> None:
    events = [
        {"at": "2026-01-05T00:00:00Z", "id": "a", "properties": {"n": "1"}, "stored_at": "2026-01-09T00:00:00Z"},
        {"at": "2026-01-05T00:00:00Z", "id": "a", "properties": {"n": "2"}, "stored_at": "2026-01-08T00:00:00Z"},
    ]

    assert run_case(case({"value": "2"}, events=events)).passed


def test_a_wrong_figure_fails_and_says_both() -> None:
    outcome = run_case(case({"value": "6"}))

    assert not outcome.passed
    assert outcome.why == "value: expected 6, got 5"
