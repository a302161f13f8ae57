"""The demo on a share of its data: every figure is worked out again here, from the files alone, in plain Python."""

import csv
import hashlib
import io
import json
import lzma
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

import tenor.cli.commands.demo as demo_module
import tenor.demo
from tenor.cli.app import app
from tenor.demo import Check, StepDone, Story, Tell, ai_story, audit, open_sandbox, play, telco_story
from tenor.demo.inputs import read_requests, read_subscribers
from tenor.invoicing import IssuedDocument, find_document, list_documents
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tests.support.postgres import Server

EVERY: Final = 20
"""The share of the data: every so-many-th row."""

DATA: Final = Path(tenor.demo.__file__).parent / "data"
MONTHS: Final = tuple(datetime(y, m, 1, tzinfo=UTC) for y, m in ((2023, 10), (2023, 11), (2023, 12), (2024, 1)))


def unpacked(name: str) -> bytes:
    return lzma.decompress((DATA / f"{name}.xz").read_bytes())


def rows(name: str, *, every: int = 1) -> list[tuple[int, dict[str, str]]]:
    """Every `every`-th data row of a file with its number from 1, read without the demo's own reader."""
    lines = unpacked(name).decode().splitlines()
    return [(n, row) for n, row in enumerate(csv.DictReader(lines), start=1) if n % every == 0]


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


# --- the data -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "sha256", "count", "sums"),
    [
        (
            "azure-llm-2023-code.csv",
            "54e9a6d2a4bd06ba1e060304b900abbc74cbea53de96506e60fe5bb4f2277fb6",
            8_819,
            {"ContextTokens": "18059974", "GeneratedTokens": "245896"},
        ),
        (
            "azure-llm-2023-conv.csv",
            "2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8",
            19_366,
            {"ContextTokens": "22361870", "GeneratedTokens": "4088665"},
        ),
        (
            "telco-subscribers.csv",
            "ba696dcc4074be2c37c883fc6bdab7c3d4f164072c5d5d48b773f50ae780f53f",
            7_043,
            {"MonthlyCharges": "456116.60", "tenure": "227990"},
        ),
    ],
)
def test_the_data_is_what_its_readme_states(name: str, sha256: str, count: int, sums: dict[str, str]) -> None:
    assert hashlib.sha256(unpacked(name)).hexdigest() == sha256
    found = rows(name)
    assert len(found) == count
    for column, total in sums.items():
        assert sum(Decimal(row[column]) for _, row in found) == Decimal(total)
    readme = (DATA / "README.md").read_text()
    assert sha256 in readme
    assert all(f"{Decimal(total):,}" in readme for total in sums.values())


def test_the_traces_are_byte_for_byte_as_published() -> None:
    trace = unpacked("azure-llm-2023-code.csv")

    assert trace.startswith(b"TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n")
    assert trace.endswith(b"\r\n2023-11-16 19:14:19.9280160,549,173")  # the last line has no end


def test_requests_keep_their_time_and_get_a_customer_by_the_stated_rule() -> None:
    requests = list(read_requests(every=1))

    assert len(requests) == 28_185
    first = requests[0]
    assert (first.row, first.input_tokens, first.output_tokens) == (1, 4808, 10)
    # .9799600: digits beyond a microsecond are cut off
    assert first.at == datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)
    # sha256("azure-llm-2023-code.csv:1") begins with 4 bytes u; the customer is 1 + floor(40 × (u / 2³²)²)
    u = int(hashlib.sha256(b"azure-llm-2023-code.csv:1").hexdigest()[:8], 16)
    assert first.customer_number(customers=40) == 1 + 40 * u**2 // 2**64
    customers = Counter(request.customer_number(customers=40) for request in requests)
    assert set(customers) == set(range(1, 41))
    assert customers[1] == 4_326
    assert customers[40] == 334


@pytest.mark.parametrize(
    ("customer_id", "contract", "tenure", "began", "ends"),
    [
        ("7590-VHVEG", "Month-to-month", 1, datetime(2023, 9, 1, tzinfo=UTC), None),
        ("3668-QPYBK", "Month-to-month", 2, datetime(2023, 8, 1, tzinfo=UTC), datetime(2023, 11, 1, tzinfo=UTC)),
        # 48 months of one-year contracts are over on the reference day: the fifth runs until October 2024
        ("0280-XJGEX", "Month-to-month", 49, datetime(2019, 9, 1, tzinfo=UTC), datetime(2023, 11, 1, tzinfo=UTC)),
    ],
)
def test_a_subscriber_is_anchored_and_ends_by_the_stated_rule(
    customer_id: str, contract: str, tenure: int, began: datetime, ends: datetime | None
) -> None:
    subscriber = next(one for one in read_subscribers(every=1) if one.customer_id == customer_id)

    assert (subscriber.contract, subscriber.tenure_months) == (contract, tenure)
    assert subscriber.anchor_at == began
    assert subscriber.ends_at == ends
