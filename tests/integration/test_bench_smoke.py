"""The benchmark runs from end to end: small, on a server of its own, and its three jobs write the same."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

BENCH: Final = Path(__file__).resolve().parents[2] / "tools" / "bench.py"
SUBSCRIPTIONS: Final = 100


def test_run_floor_and_naive_job_write_the_same(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    data = tmp_path / "data"
    data.mkdir()

    bench = subprocess.run(
        [
            *(sys.executable, str(BENCH), "--no-fsync", "--json"),
            *("--subscriptions", str(SUBSCRIPTIONS), "--events", "2000", "--stored", "3000", "6000"),
            *("--api-seconds", "0.1", "--folder", str(data), "--output", str(page)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert bench.returncode == 0, bench.stderr
    figures = json.loads(bench.stdout)
    comparison = figures["comparison"]
    assert comparison["written"]["rows"] == {
        "invoices": 100,
        "invoice_lines": 300,  # base fee, seats, usage
        "claims": 300,  # one for each line
        "transfers": 300,  # revenue, deferred revenue, tax
        "outbox_events": 100,
        "bill_run_items": 100,
    }
    # The tool itself refuses jobs that did not write this; here, that it is what a price book of 20.00 + 5.00 a seat
    # + usage at 0.01, from 1,000 on at 0.005, from 100,000 on at 0.0025 gives. Subscription n has 2 + n % 7 seats and
    # used 2 + 7,919 n modulo 1,000,000 calls.
    assert comparison["written"]["lines_minor"] == sum(_lines_minor(n) for n in range(SUBSCRIPTIONS))
    assert comparison["naive_written"] == comparison["written"]  # all of them, since they are fewer than 5,000
    assert [run["invoices"] for run in figures["growth"]] == [10, 100, 300]
    assert {job["rows"] for job in comparison["floors"]} == {1200}  # the sum of the rows above
    usage = figures["usage"]
    assert [(run["stored"], run["events"]) for run in (usage["floor"], *usage["runs"])] == [
        (0, 2000),
        (0, 2000),
        (3000, 2000),
        (6000, 2000),
    ]
    api = figures["api"]
    assert [load["events_per_call"] for load in (api["bare"], *api["loads"])] == [0, 0, 0, 100, 1000, 0]
    assert all(0 < load["p50_milliseconds"] <= load["p99_milliseconds"] for load in api["loads"])
    assert "multiple of the floor" in page.read_text(encoding="utf-8")
    assert not list(data.iterdir())  # the server is gone with its data


def _lines_minor(n: int) -> int:
    """Return what subscription `n` is billed before tax, in cents: half a cent is rounded up."""
    calls = 2 + 7_919 * n % 1_000_000
    quarter_cents = 4 * min(calls, 1_000) + 2 * max(0, min(calls, 100_000) - 1_000) + max(0, calls - 100_000)
    return 2_000 + 500 * (2 + n % 7) + (quarter_cents + 2) // 4
