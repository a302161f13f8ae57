"""A file is imported whole or not at all, and may be imported again."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tenor.kernel.ids import CustomerId
from tenor.metering import BadRow, TouchedUsage, UsageEvent, UsageFileRefused, import_usage, record_usage
from tenor.metering.operations import import_usage as importing
from tenor.platform.unit_of_work import UnitOfWork
from tests.integration.metering.conftest import NOW

HEADER = "event_id,customer,metric,occurred_at,value,region\n"
GOOD = (
    "e1,acme,tokens,2026-05-02T12:00:00Z,12.5,eu\n"
    "e2,acme,tokens,2026-04-02T12:00:00Z,3,\n"
    "e3,blue,calls,2026-05-02T12:00:00Z,,us\n"
)


def written(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "usage.csv"
    path.write_text(HEADER + content)
    return path


def count(uow: UnitOfWork) -> int:
    (row,) = uow.fetch_all("select count(*) from usage_events")
    return int(row[0])


def test_a_file_is_taken_and_a_second_time_changes_nothing(
    tmp_path: Path, uow: UnitOfWork, customers: dict[str, CustomerId]
) -> None:
    path, progress = written(tmp_path, GOOD), list[int]()

    first = import_usage(uow, path, now=NOW, on_progress=progress.append)
    again = import_usage(uow, path, now=NOW)

    assert (first.accepted, first.duplicates, progress) == (3, 0, [3])
    assert (again.accepted, again.duplicates, again.touched) == (0, 3, ())
    assert {(entry.customer_id, entry.metric_code, entry.earliest_at.month) for entry in first.touched} == {
        (customers["acme"], "tokens", 4),
        (customers["blue"], "calls", 5),
    }
    assert uow.fetch_all("select value, properties ->> 'region' from usage_events order by ordinal") == [
        (Decimal("12.5"), "eu"),
        (Decimal(3), None),
        (Decimal(1), "us"),
    ]


@pytest.mark.usefixtures("customers")
def test_every_wrong_row_is_listed_and_nothing_is_written(tmp_path: Path, uow: UnitOfWork) -> None:
    record_usage(
        uow,
        [UsageEvent("e9", NOW, {"n": 1}, source="file", metric_code="tokens", customer="acme")],
        now=NOW,
    )
    path = written(
        tmp_path,
        GOOD
        + "e4,nobody,tokens,2026-05-02T12:00:00Z,1,\n"
        + "e5,acme,watts,2026-05-02T12:00:00Z,1,\n"
        + "e6,acme,tokens,2026-05-02,1,\n"
        + "e7,acme,tokens,2099-05-02T12:00:00Z,1,\n"
        + "e9,acme,tokens,2026-05-02T12:00:00Z,1,\n"
        + "e8,acme,tokens,2026-05-02T12:00:00Z,oops,\n",
    )

    with pytest.raises(UsageFileRefused) as refused, uow.connection.transaction():
        import_usage(uow, path, now=NOW)

    assert [(row.line, row.column) for row in refused.value.rows] == [
        (5, "customer"), (6, "metric"), (7, "occurred_at"), (8, "occurred_at"), (9, "event_id"), (10, "value"),
    ]  # fmt: skip
    assert refused.value.message.startswith(f"{path}: 6 rows cannot be taken, so nothing was written:\n  line 5,")
    assert refused.value.details["rows"][0] == {  # type: ignore[index]  # a list of mappings
        "line": 5, "column": "customer", "reason": "there is no customer 'nobody'",
    }  # fmt: skip
    assert count(uow) == 1


@pytest.mark.usefixtures("customers")
def test_a_long_list_of_wrong_rows_is_shown_in_part_and_kept_whole(tmp_path: Path, uow: UnitOfWork) -> None:
    path = written(tmp_path, "".join(f"e{n},acme,tokens,2026-05-02T12:00:00Z,x,\n" for n in range(30)))

    with pytest.raises(UsageFileRefused, match="and 10 more") as refused:
        import_usage(uow, path, now=NOW)

    assert len(refused.value.rows) == 30
    assert isinstance(refused.value.rows[0], BadRow)


def test_progress_is_told_now_and_then_and_at_the_end(
    tmp_path: Path, uow: UnitOfWork, customers: dict[str, CustomerId], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "PROGRESS_ROWS", 2)
    progress = list[int]()
    days = (5, 3, 9, 4, 7)
    path = written(tmp_path, "".join(f"e{day},acme,tokens,2026-05-0{day}T00:00:00Z,1,\n" for day in days))

    receipt = import_usage(uow, path, now=NOW, on_progress=progress.append)

    assert (receipt.accepted, progress) == (5, [2, 4, 5])
    assert receipt.touched == (TouchedUsage(customers["acme"], "tokens", NOW - timedelta(days=29)),)  # of 3 May
