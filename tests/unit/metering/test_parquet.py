"""Parquet files of usage: every type that is read, exactly, and what is refused with its row or column."""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tenor.catalog.model import Aggregation
from tenor.metering.importing import BadRow, MalformedUsageFile, UsageRow, read_usage
from tenor.metering.model import Metric, UsageEvent
from tenor.metering.parquet import BATCH_ROWS, ParquetUnavailable
from tenor.metering.rules.forms import STANDARD_COLUMNS, Columns, ReadingTerms, read_record

pa: Any = import_module("pyarrow")  # has no types
pq: Any = import_module("pyarrow.parquet")

METRICS = {"tokens": Metric("tokens", Aggregation.SUM, "n"), "calls": Metric("calls", Aggregation.COUNT)}
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def written(tmp_path: Path, **columns: Any) -> Path:
    path = tmp_path / "usage.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def usage(count: int = 1, **columns: Any) -> dict[str, Any]:
    """Return columns of sound events, but for what is given."""
    sound = {
        "event_id": [f"e{n}" for n in range(1, count + 1)],
        "customer": ["acme"] * count,
        "metric": ["tokens"] * count,
        "occurred_at": pa.array([NOON] * count, pa.timestamp("us", tz="UTC")),
        "value": pa.array([Decimal("12.5")] * count, pa.decimal128(33, 18)),
    }
    return {name: column for name, column in (sound | columns).items() if column is not None}


def rows(path: Path, *, columns: Columns = STANDARD_COLUMNS, zone: str | None = None) -> list[UsageRow | BadRow]:
    return list(read_usage(path, ReadingTerms(METRICS, "file", columns, ZoneInfo(zone) if zone else None)))


def read(path: Path, **terms: Any) -> UsageEvent:
    (row,) = rows(path, **terms)
    assert isinstance(row, UsageRow), row
    return row.event


def test_every_type_is_read_exactly(tmp_path: Path) -> None:
    given: Mapping[str, tuple[Any, Any]] = {
        "n": (pa.array([Decimal("999999999999999.123456789012345678")], pa.decimal128(33, 18)),
              Decimal("999999999999999.123456789012345678")),
        "wide": (pa.array([Decimal("1.10")], pa.decimal256(60, 2)), Decimal("1.10")),
        "whole": (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        "double": (pa.array([0.1]), Decimal("0.1")),
        "text": (pa.array(["é"], pa.large_string()), "é"),
        "coded": (pa.array(["eu"]).dictionary_encode(), "eu"),
        "flag": (pa.array([True]), True),
        "day": (pa.array([date(2026, 2, 28)]), "2026-02-28"),
        "until": (pa.array([NOON.replace(microsecond=1)], pa.timestamp("us", "Europe/Berlin")),
                  "2026-05-01T12:00:00.000001+00:00"),
        "wall": (pa.array([datetime(2026, 5, 1, 7)], pa.timestamp("s")), "2026-05-01T07:00:00"),  # noqa: DTZ001  that is the point
    }  # fmt: skip
    absent = {"none": pa.nulls(1), "missing": pa.array([None], pa.string())}
    path = written(tmp_path, **usage(value=None, **{name: column for name, (column, _) in given.items()}, **absent))

    event = read(path)

    assert event.properties == {name: expected for name, (_, expected) in given.items()}
    assert {name: type(value) for name, value in event.properties.items()} == {
        name: type(expected) for name, (_, expected) in given.items()
    }
    assert (event.event_id, event.customer, event.metric_code, event.source) == ("e1", "acme", "tokens", "file")


@pytest.mark.parametrize(
    ("column", "zone", "expected"),
    [
        (
            pa.array([1_777_636_800_123_456_789], pa.timestamp("ns", "Asia/Tokyo")), None,
            NOON.replace(microsecond=123_456),
        ),
        (pa.array(["2026-05-01T14:00:00+02:00"]), None, NOON),
        # a wall clock in Berlin, UTC+2 in May
        (pa.array([datetime(2026, 5, 1, 14)], pa.timestamp("ms")), "Europe/Berlin", NOON),  # noqa: DTZ001
        (pa.array(["2026-05-01T14:00:00"]), "Europe/Berlin", NOON),
    ],
)  # fmt: skip
def test_an_instant_is_what_it_says(tmp_path: Path, column: Any, zone: str | None, expected: datetime) -> None:
    assert read(written(tmp_path, **usage(occurred_at=column)), zone=zone).occurred_at == expected


def test_properties_and_names_of_columns_are_those_of_the_other_forms(tmp_path: Path) -> None:
    columns = Columns(event_id="id", occurred_at="TIMESTAMP")
    at = pa.array([NOON], pa.timestamp("us", "UTC"))
    path = written(
        tmp_path,
        **usage(event_id=None, occurred_at=None, value=None, id=["x"], TIMESTAMP=at),
        properties=pa.array([{"n": 3, "region": "eu"}]),
        source=["gw"],
    )

    event = read(path, columns=columns)

    assert (event.event_id, event.source, event.properties) == ("x", "gw", {"n": 3, "region": "eu"})


@pytest.mark.parametrize(
    "data",
    [
        pa.array([{"n": Decimal("0.1"), "region": "eu"}]),
        pa.array([[("n", "0.1"), ("region", "eu")]], pa.map_(pa.string(), pa.string())),
        pa.array(['{"n": 0.1, "region": "eu"}']),
    ],
)
def test_columns_may_be_those_of_cloud_events(tmp_path: Path, data: Any) -> None:
    path = written(
        tmp_path,
        specversion=["1.0"],
        id=["c"],
        source=["gw"],
        type=["tokens"],
        subject=["acme"],
        time=pa.array([NOON], pa.timestamp("us", "UTC")),
        data=data,
    )

    event = read(path)

    assert (event.event_id, event.source, event.metric_code, event.customer) == ("c", "gw", "tokens", "acme")
    assert event.occurred_at == NOON
    assert {name: str(value) for name, value in event.properties.items()} == {"n": "0.1", "region": "eu"}


def test_a_bad_row_is_named_by_its_number_and_keeps_no_other_from_being_read(tmp_path: Path) -> None:
    columns = usage(5, event_id=["a", "b", "a", None, "e"], metric=["tokens", "watts", "tokens", "tokens", "tokens"])
    columns["value"] = pa.array([1.5, 1.0, 1.0, 1.0, float("nan")])

    good, *bad = rows(written(tmp_path, **columns))

    assert isinstance(good, UsageRow)
    assert good.event.properties == {"n": Decimal("1.5")}
    assert list(map(str, bad)) == [
        "row 2, column 'metric': there is no metric 'watts'",
        "row 3, column 'event_id': 'a' is already the id of row 1",
        "row 4, column 'event_id': is empty",
        "row 5, column 'value': n: NaN is not a finite number",
    ]
    assert isinstance(bad[0], BadRow)
    assert '"metric": "watts"' in bad[0].payload


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (usage(metric=None), "the header names no column 'metric'"),
        (usage(value=pa.array([1.5], pa.float32())), "column 'value' is of float, which holds no exact number"),
        (usage(tags=pa.array([["a"]])), "column 'tags' is of list<"),
        (usage(raw=pa.array([b"a"])), "column 'raw' is of binary"),
        (usage(properties=pa.array([{"deep": {"n": 1}}])), "column 'properties.deep' is of struct<"),
        (
            usage(occurred_at=pa.array([datetime(2026, 5, 1)], pa.timestamp("us"))),  # noqa: DTZ001
            "the times of column 'occurred_at' name no zone: say which it is (--zone), or write them with one",
        ),
    ],
)
def test_a_file_with_a_column_that_cannot_be_taken_is_refused(
    tmp_path: Path, columns: dict[str, Any], says: str
) -> None:
    with pytest.raises(MalformedUsageFile) as refused:
        rows(written(tmp_path, **columns))

    assert says in refused.value.message


def test_a_file_that_is_no_parquet_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    with pytest.raises(MalformedUsageFile, match="No such file"):
        rows(path)
    path.write_bytes(b"PAR1")
    with pytest.raises(MalformedUsageFile, match="cannot be read as Parquet"):
        rows(path)
    count = 3 * BATCH_ROWS
    table = pa.table(usage(count, value=list(range(count))))
    pq.write_table(table, path, row_group_size=BATCH_ROWS, compression="zstd")
    content = bytearray(path.read_bytes())
    middle = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
    content[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(content)

    *good, bad = rows(path)

    assert len(good) == BATCH_ROWS
    assert isinstance(bad, BadRow)
    assert str(bad).startswith(f"row {BATCH_ROWS + 1}: cannot be read as Parquet, nor what follows it: ")


def test_rows_are_read_as_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three batches only the first is turned into records before its rows are taken."""
    path = written(tmp_path, **usage(3 * BATCH_ROWS))
    seen = list[int]()

    def noting(record: Mapping[str, Any], terms: ReadingTerms) -> UsageEvent:
        seen.append(1)
        return read_record(record, terms)

    monkeypatch.setattr("tenor.metering.importing.read_record", noting)
    found: Iterator[UsageRow | BadRow] = read_usage(path, ReadingTerms(METRICS, "file"))
    next(found)

    assert len(seen) == 1
    assert sum(1 for _ in found) == 3 * BATCH_ROWS - 1


def test_without_the_library_the_optional_part_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, **usage())
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(ParquetUnavailable, match=r"pip install 'tenor\[parquet\]'"):
        rows(path)
