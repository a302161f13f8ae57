"""What a glance over many events lets pass is what a look at each of them would."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.metering import UsageEvent
from tenor.metering.rules.acceptance import UnacceptableEvent, are_acceptable, require_acceptable

NOW: Final = datetime(2026, 6, 1, tzinfo=UTC)
GOOD: Final = UsageEvent(
    "e1", NOW, {"n": 5, "model": "small", "cost": Decimal("0.25"), "x": None}, "gw", "calls", "acme"
)
CHANGES: Final[list[dict[str, Any]]] = [
    {},
    {"event_id": ""},
    {"event_id": "x" * 200},
    {"event_id": "x" * 201},
    {"event_id": "ü"},
    {"event_id": "a\0b"},
    {"source": ""},
    {"source": "\ud800"},
    {"customer": None},
    {"customer": ""},
    {"metric_code": None},
    {"occurred_at": NOW + timedelta(days=1)},
    {"occurred_at": NOW + timedelta(days=1, microseconds=1)},
    {"occurred_at": NOW - timedelta(days=3660)},
    {"occurred_at": NOW - timedelta(days=3660, microseconds=1)},
    {"properties": {}},
    {"properties": {str(n): n for n in range(50)}},
    {"properties": {str(n): n for n in range(51)}},
    {"properties": {"x" * 201: 1}},
    {"properties": {"a\0": 1}},
    {"properties": {"t": "x" * 1000}},
    {"properties": {"t": "x" * 1001}},
    {"properties": {"t": "a\0b"}},
    {"properties": {"t": True, "u": False, "v": ""}},
    {"properties": {"t": 2**128 - 1}},
    {"properties": {"t": 2**128}},
    {"properties": {"t": Decimal("1e39")}},
    {"properties": {"t": Decimal("1e40")}},
    {"properties": {"t": Decimal("NaN")}},
]


def is_good(event: UsageEvent) -> bool:
    try:
        require_acceptable(event, now=NOW)
    except UnacceptableEvent:
        return False
    return True


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*CHANGES, *([{}] * 60)]), min_size=1, max_size=6))
def test_what_passes_at_a_glance_passes_one_by_one(changes: list[dict[str, Any]]) -> None:
    events = [GOOD._replace(**change) for change in changes]

    if are_acceptable(events, now=NOW):
        assert all(is_good(event) for event in events)


def test_the_usual_passes_at_a_glance_and_each_fault_is_seen() -> None:
    assert are_acceptable([GOOD, GOOD._replace(source="", properties={})], now=NOW)
    for change in CHANGES:
        event = GOOD._replace(**change)
        if not is_good(event):
            assert not are_acceptable([GOOD, event, GOOD], now=NOW), change
