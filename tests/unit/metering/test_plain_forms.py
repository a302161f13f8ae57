"""A record that is read the short way is the event that it would be the long way."""

import json
from datetime import UTC, datetime
from typing import Any, Final
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.catalog.model import Aggregation
from tenor.metering import Metric, ReadingTerms, Unreadable, UsageEvent, read_event_lines, read_events
from tenor.metering.rules import forms

TERMS: Final = ReadingTerms(
    {
        "tokens": Metric("tokens", Aggregation.SUM, "n"),
        "calls": Metric("calls", Aggregation.COUNT),
        "seats": Metric("seats", Aggregation.UNIQUE_COUNT, "user"),
    },
    "http",
)
SCALARS: Final[list[Any]] = ["5", 7, 2.50, "x", "übermaß", "", None, True, 10**16, "a\tb"]
TIMES: Final = ["2026-05-01T10:00:00Z", "2026-05-01T10:00:00.1234567+02:00", "2026-05-01 10:00", "1969-12-31T23:59:59Z"]
ODD: Final[list[Any]] = [[1], {"a": 1}, {"event_id": "inside"}, {}, "2026"]


def members(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return strategies of objects with these members, good and bad; each may be absent."""
    usual: dict[str, list[Any]] = {
        "occurred_at": TIMES,
        "time": TIMES,
        "metric": ["tokens", "calls", "seats", "watts"],
        "type": ["tokens", "calls", "seats", "watts"],
        "specversion": ["1.0", "0.3"],
        "datacontenttype": ["application/json", "text/plain", "application/vnd.x+json"],
    }
    return st.fixed_dictionaries(
        {}, optional={name: st.sampled_from(usual.get(name, []) * 4 + SCALARS + ODD) for name in names}
    )


def parts_of(**good: Any) -> dict[str, Any]:
    return good


FLAT: Final = parts_of(event_id="e1", customer="acme", metric="tokens", occurred_at=TIMES[0], source="gw")
CLOUD: Final = parts_of(specversion="1.0", id="e1", source="gw", type="tokens", subject="acme", time=TIMES[0])
PROPERTIES: Final = members("n", "user", "region", "source", "value", "event_id")
NESTED: Final = st.one_of(PROPERTIES.map(lambda said: {"n": 5, **said}), st.sampled_from(ODD))
RECORDS: Final = st.one_of(
    st.builds(lambda bad, said: {**FLAT, "properties": said, **bad}, members(*list(FLAT)), NESTED),
    st.builds(
        lambda bad, said: {**FLAT, "n": 5, **said, **bad}, members("customer", "subscription", "properties"), PROPERTIES
    ),
    st.builds(
        lambda bad, said: {**CLOUD, "data": said, **bad},
        members("source", "time", "datacontenttype", "data_base64", "extension", "value", "specversion"),
        NESTED,
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(RECORDS, max_size=4))
def test_the_short_way_and_the_long_way_agree(records: list[dict[str, Any]]) -> None:
    document = json.dumps(records).encode()

    found = read_events(document, TERMS)
    with patch.object(forms, "_read_plain", return_value=None):
        assert found == read_events(document, TERMS)


def test_the_usual_forms_go_the_short_way() -> None:
    at = datetime(2026, 5, 1, 10, tzinfo=UTC)
    flat = UsageEvent("e1", at, {"n": 5, "region": "eu"}, "gw", "tokens", "acme")

    for record in (
        {**FLAT, "properties": {"n": 5, "region": "eu"}},
        {**FLAT, "n": 5, "region": "eu"},
        {**CLOUD, "data": {"n": 5, "region": "eu"}},
        {**CLOUD, "datacontenttype": "application/json", "data": {"n": 5, "region": "eu"}, "extension": "x"},
    ):
        assert forms._read_plain(record, TERMS) == flat


def test_each_line_is_a_record_of_its_own() -> None:
    good = json.dumps({**FLAT, "n": 5}).encode()

    first, wrong, last = read_event_lines(good + b"\r\n\n{\n" + good, TERMS)

    assert first == last == UsageEvent("e1", datetime(2026, 5, 1, 10, tzinfo=UTC), {"n": 5}, "gw", "tokens", "acme")
    assert isinstance(wrong, Unreadable)
    assert (wrong.position, wrong.payload) == (2, "{")
