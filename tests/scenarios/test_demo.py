"""The demo: every figure is worked out again here, from the published files alone, in plain Python.

The AI service is played on all of its requests, the telephone company on every sixtieth subscriber.
"""

import csv
import hashlib
import json
import lzma
from collections import Counter
from collections.abc import Callable, Iterator
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
from tenor.demo import Check, NotTheDemos, StepDone, Story, Tell, ai_story, audit, open_sandbox, play, telco_story
from tenor.demo.inputs import read_requests, read_subscribers
from tenor.invoicing import IssuedDocument, find_document, list_documents
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database
from tenor.platform.settings import Settings
from tenor.platform.tenants import create_tenant
from tests.support.postgres import Server

EVERY: Final = 60
"""The share of the subscribers: every so-many-th row."""

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
        ("7590-VHVEG", "Month-to-month", 1, datetime(2023, 9, 1, tzinfo=UTC), None),  # has not left
        ("3668-QPYBK", "Month-to-month", 2, datetime(2023, 8, 1, tzinfo=UTC), datetime(2023, 11, 1, tzinfo=UTC)),
        # a fourth year ran out on 1 November (47 = 3 × 12 + 11)
        ("4789-KWMXN", "One year", 47, datetime(2019, 11, 1, tzinfo=UTC), datetime(2023, 11, 1, tzinfo=UTC)),
        # a fifth year has just begun (48 = 4 × 12)
        ("1899-VXWXM", "One year", 48, datetime(2019, 10, 1, tzinfo=UTC), datetime(2024, 10, 1, tzinfo=UTC)),
        # 71 = 2 × 24 + 23
        ("2834-JRTUA", "Two year", 71, datetime(2017, 11, 1, tzinfo=UTC), datetime(2023, 11, 1, tzinfo=UTC)),
        # 72 = 3 × 24
        ("8809-RIHDD", "Two year", 72, datetime(2017, 10, 1, tzinfo=UTC), datetime(2025, 10, 1, tzinfo=UTC)),
    ],
)
def test_a_subscriber_is_anchored_and_ends_by_the_stated_rule(
    customer_id: str, contract: str, tenure: int, began: datetime, ends: datetime | None
) -> None:
    subscriber = next(one for one in read_subscribers(every=1) if one.customer_id == customer_id)

    assert (subscriber.contract, subscriber.tenure_months) == (contract, tenure)
    assert subscriber.anchor_at == began
    assert subscriber.ends_at == ends


# --- both stories, played twice -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where stories are played."""

    database: Database
    settings: Settings

    def play(self, story: Story, tell: Tell = lambda _what, _done, _total: None) -> list[StepDone]:
        """Play a story from where its sandbox stands to its end."""
        open_sandbox(self.database, story)
        return [play(self.database, self.settings, story, step, tell=tell) for step in story.steps]

    def tenant_id(self, story: Story) -> TenantId:
        tenant, _ = open_sandbox(self.database, story)
        return tenant.tenant_id

    def documents(self, story: Story) -> list[IssuedDocument]:
        """Every document of the story's tenant, in order of issue."""
        with self.database.transaction(self.tenant_id(story)) as uow:
            return [find_document(uow, row.name) for row in reversed(list_documents(uow, limit=100_000))]


@pytest.fixture(scope="module")
def place(town: tuple[Server, str]) -> Iterator[Place]:
    server, name = town
    settings = server.settings(name)
    with Database.open(settings) as database:
        yield Place(database, settings)


@pytest.fixture(scope="module")
def ai(place: Place) -> tuple[Story, list[StepDone], list[IssuedDocument]]:
    story = ai_story(slug="ai", every=1)
    steps = place.play(story)
    return story, steps, place.documents(story)


@pytest.fixture(scope="module")
def telco(place: Place) -> tuple[Story, list[StepDone]]:
    story = telco_story(slug="telco", every=EVERY)
    return story, place.play(story)


TIERS: Final = {
    "input": ("ContextTokens", ((0, "0.00003"), (1_000_000, "0.000024"), (3_000_000, "0.000018"))),
    "output": ("GeneratedTokens", ((0, "0.00006"), (100_000, "0.00005"), (300_000, "0.00004"))),
}
"""By charge: the column of the traces, and from how many tokens on each price holds."""


def usage_cost() -> dict[tuple[int, str], Decimal]:
    """What the tokens of each customer cost by charge: each sum by its tiers, rounded once."""
    tokens: Counter[tuple[int, str]] = Counter()
    for file in ("azure-llm-2023-code.csv", "azure-llm-2023-conv.csv"):
        for n, row in rows(file):
            u = int(hashlib.sha256(f"{file}:{n}".encode()).hexdigest()[:8], 16)
            for charge, (column, _) in TIERS.items():
                tokens[1 + 40 * u**2 // 2**64, charge] += int(row[column])
    cost = {}
    for (customer, charge), count in tokens.items():
        _, tiers = TIERS[charge]
        ends = [start for start, _ in tiers[1:]] + [10**12]
        parts = [
            max(0, min(count, end) - start) * Decimal(price) for (start, price), end in zip(tiers, ends, strict=True)
        ]
        cost[customer, charge] = cents(sum(parts, Decimal(0)))
    return cost


def short_of(minimum: str, charges: Decimal) -> Decimal:
    return max(Decimal(0), Decimal(minimum) - charges)


def test_the_ai_service_bills_what_its_price_book_says_for_the_tokens_in_the_files(
    ai: tuple[Story, list[StepDone], list[IssuedDocument]],
) -> None:
    _, _, documents = ai
    cost = usage_cost()
    usage = {n: cost[n, "input"] + cost[n, "output"] for n in range(1, 41)}
    business = Decimal(499 + 7 * 25)  # base fee and 12 seats of which 5 are included: 674
    team = Decimal(99 + 6 * 12)  # base fee and 6 seats: 171
    newer_team = Decimal(99 + 6 * 14)  # the same on the second edition: 183
    starter = Decimal(29 + 2 * 9)  # 47
    october = 10 * business + 20 * team
    november = (
        october
        + 6 * newer_team  # those who begin in November; the four on Starter are in trial
        + 10 * short_of("750", business)  # October had no usage: the minimum is short by 76
        + 20 * short_of("200", team)  # by 29
    )
    december = (
        9 * business
        + 18 * team
        + 6 * newer_team  # the advance of all but 1, 12 and 30
        + 4 * starter  # their trial ended on 15 November
        + sum(usage[n] + short_of("750", business + usage[n]) for n in range(2, 11))
        + sum(usage[n] + short_of("200", team + usage[n]) for n in range(11, 31) if n not in {12, 30})
        + sum(usage[n] + short_of("200", newer_team + usage[n]) for n in range(31, 37))
        # 1 has 12 seats for 15 days and 17 for 15: (175 + 300) / 2 = 237.50, of which 175 were billed
        + Decimal("62.50")
        + usage[1]
        + short_of("750", Decimal("736.50") + usage[1])
        + (499 + 300)
        # 12 leaves Team after 10 of 30 days: of 99 + 72 stay 33 + 24; a third of the minimum is 66.67
        + (57 - 171)
        + short_of("66.67", Decimal(57))
        # … and has Business for 20 of 30 days with 6 seats: 332.67 + 16.67; two thirds of the minimum are 500
        + Decimal("349.34")
        + usage[12]
        + short_of("500", Decimal("349.34") + usage[12])
        + (499 + 25)
        # 30 leaves after 20 of 30 days: of 171 stay 66 + 48; two thirds of the minimum are 133.33
        + (114 - 171)
        + usage[30]
        + short_of("133.33", 114 + usage[30])
    )
    january = (
        9 * business
        + 18 * team
        + 6 * newer_team
        + (499 + 300)
        + (499 + 25)
        + 4 * starter
        + 9 * short_of("750", business)
        + 18 * short_of("200", team)
        + 6 * short_of("200", newer_team)
        + short_of("750", Decimal(524))  # 12; the charges of 1 come to 799
        + sum(usage[n] for n in range(37, 41))  # Starter's periods end on 15 December
    )

    amounts = dict(zip(MONTHS, (october, november, december, january), strict=True))
    amounts[MONTHS[1]] += 8 * 90 + 4 * 300  # prepaid credit is sold
    # 4 wallets of 300 have paid 200 and 19 %; they are filled up again
    amounts |= {datetime(*day, tzinfo=UTC): Decimal(4 * 238) for day in ((2023, 11, 11), (2023, 12, 2), (2024, 1, 2))}

    billed: Counter[datetime] = Counter()
    for document in documents:
        billed[document.issued_at] += document.net_minor
    assert billed == {at: int(amount * 100) for at, amount in amounts.items()}


def test_prepaid_credit_pays_lapses_and_is_filled_up(
    place: Place, ai: tuple[Story, list[StepDone], list[IssuedDocument]]
) -> None:
    story, steps, documents = ai
    gross = {key: cost + cents(cost * Decimal("0.19")) for key, cost in usage_cost().items() if key[0] in range(13, 21)}
    paid = {
        (int(document.customer_external_id.removeprefix("ai-")), line.charge_code): part
        for document in documents
        for line in document.lines
        for part in line.paid_by
        if part.wallet == "credits"
    }

    # a line of usage with its tax, 100 credits for 1.00, as far as the 10,000 that were bought go
    assert {key: part.paid_minor for key, part in paid.items()} == {key: int(100 * cost) for key, cost in gross.items()}
    assert all(part.amount == part.paid_minor for part in paid.values())
    tenant, _ = open_sandbox(place.database, story)
    balance, credits_ = audit(place.database, tenant, story, tell=lambda _what, _done, _total: None).credits
    # 4 × 300.00; 3 × 4 × 238.00; three months of 4 × 200.00 × 1.19; 4 × 300.00
    assert balance == ("balance", "1200.00", "2856.00", "2856.00", "0.00", "1200.00", "1200.00")
    # 8 × 90.00; of each 0.90 for 1.00 that was paid, rounded for every line; the rest after two months
    drawn = Decimal(credits_.drawn)
    assert abs(drawn - Decimal("0.9") * sum(gross.values())) <= Decimal("0.16")
    assert credits_ == ("credits", "720.00", "0.00", f"{drawn}", f"{720 - drawn}", "0.00", "0.00")
    said = [sentence for step in steps for sentence in step.did]
    assert said.count("4 wallets are low and order a top-up") == 3
    assert said.count("8 grants of prepaid credit lapse") == 1


def test_each_customer_pays_the_tokens_of_their_requests_by_tier(
    ai: tuple[Story, list[StepDone], list[IssuedDocument]],
) -> None:
    _, _, documents = ai
    billed = {
        (int(document.customer_external_id.removeprefix("ai-")), line.charge_code): line.amount_minor
        for document in documents
        for line in document.lines
        if line.charge_code in TIERS
    }

    assert billed == {key: int(amount * 100) for key, amount in usage_cost().items()}
    # 6,199,149 tokens: 1,000,000 × 0.00003 + 2,000,000 × 0.000024 + 3,199,149 × 0.000018 = 30 + 48 + 57.584682
    assert billed[1, "input"] == 13_558


def test_the_one_credit_note_gives_back_what_was_paid_in_advance(
    ai: tuple[Story, list[StepDone], list[IssuedDocument]],
) -> None:
    _, _, documents = ai
    notes = [document for document in documents if document.kind == "credit_note"]

    assert [note.customer_external_id for note in notes] == ["ai-30"]
    amounts = {line.charge_code: line.amount_minor for line in notes[0].lines}
    assert amounts["base"] == -3300  # 99.00 × 10/30
    assert amounts["seats"] == -2400  # 6 × 12.00 × 10/30
    assert notes[0].billed_for == datetime(2023, 11, 21, tzinfo=UTC)


def test_who_subscribed_before_the_second_edition_keeps_the_price_of_a_seat(
    ai: tuple[Story, list[StepDone], list[IssuedDocument]],
) -> None:
    _, _, documents = ai
    seats = {
        document.customer_external_id: (document.plans[0][1], line.amount_minor)
        for document in documents
        for line in document.lines
        if document.issued_at == MONTHS[3] and line.charge_code == "seats"
    }

    assert seats["ai-11"] == (1, 7200)  # 6 × 12.00
    assert seats["ai-31"] == (2, 8400)  # 6 × 14.00


def test_the_telco_bills_the_monthly_charges_of_all_who_are_served(
    place: Place, telco: tuple[Story, list[StepDone]]
) -> None:
    story, _ = telco
    terms = {"Month-to-month": 1, "One year": 12, "Two year": 24}
    expected: Counter[datetime] = Counter()
    for _, row in rows("telco-subscribers.csv", every=EVERY):
        term = terms[row["Contract"]]
        months_left = term - int(row["tenure"]) % term if row["Churn"] == "Yes" else 99
        for month in MONTHS[:months_left]:
            expected[month] += int(Decimal(row["MonthlyCharges"]) * 100)

    billed: Counter[datetime] = Counter()
    for document in place.documents(story):
        assert document.issued_at == document.billed_for
        billed[document.issued_at] += document.total_minor
    assert billed == expected


@pytest.mark.parametrize("slug", ["ai", "telco"])
def test_a_second_time_bills_nothing_and_everything_still_holds(
    place: Place, ai: tuple[Story, list[StepDone], list[IssuedDocument]], telco: tuple[Story, list[StepDone]], slug: str
) -> None:
    story, first_steps = {"ai": ai[:2], "telco": telco}[slug]
    before = place.documents(story)
    sent = [sentence for step in first_steps for sentence in step.did if "usage events" in sentence]

    steps = place.play(story)

    assert sum(run.document_count for step in steps for run in step.runs or ()) == 0
    assert place.documents(story) == before
    if sent:  # 28,185 requests, each with the tokens that went in and that came out
        assert sent == ["56,370 usage events taken, 0 known already"]
        assert "0 usage events taken, 56,370 known already" in [sentence for step in steps for sentence in step.did]
    tenant, was_there = open_sandbox(place.database, story)
    assert was_there
    audited = audit(place.database, tenant, story, tell=lambda _what, _done, _total: None)
    assert audited.holds
    assert audited.proof.checked["documents"] == len(before)
    if slug == "ai":  # 18,059,974 + 22,361,870 and 245,896 + 4,088,665
        assert [check.from_engine for check in audited.checks] == ["40,421,844", "4,334,561"]


class Interrupted(Exception):
    """The test pulled the plug."""


@pytest.mark.parametrize("make", [ai_story, telco_story])
def test_an_interrupted_story_ends_like_one_that_was_not(place: Place, make: Callable[..., Story]) -> None:
    """Each time that a step tells something for the first time, the plug is pulled and the story begun again."""
    straight, interrupted = (make(slug=f"{make.__name__[:2]}-{how}", every=200) for how in ("straight", "interrupted"))
    place.play(straight)
    told: set[str] = set()

    def tell(what: str, _done: int, _total: int | None) -> None:
        tenant, _ = open_sandbox(place.database, interrupted)
        where = f"{tenant.clock_at} {what}"
        if where not in told:
            told.add(where)
            raise Interrupted

    while True:
        try:
            place.play(interrupted, tell)
            break
        except Interrupted:
            continue

    def figures(story: Story) -> list[tuple[str, datetime, datetime, int]]:
        """The documents but for their numbers, which follow the order of ids that no two tenants share."""
        return sorted(
            (document.customer_external_id, document.billed_for, document.issued_at, document.total_minor)
            for document in place.documents(story)
        )

    assert sum("billing" in what for what in told) == 4  # each of the four bill runs, and more
    assert len(told) > 4
    assert figures(interrupted) == figures(straight)


def test_a_tenant_that_is_not_the_demos_is_left_alone(place: Place) -> None:
    create_tenant(place.database, slug="mine", name="My own company", is_sandbox=True)

    with pytest.raises(NotTheDemos):
        open_sandbox(place.database, telco_story(slug="mine", every=200))


# --- the command --------------------------------------------------------------------------------------------------


@pytest.fixture
def command(town: tuple[Server, str], monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    settings = town[0].settings(town[1])
    monkeypatch.setenv("TENOR_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("TENOR_APP_DATABASE_URL", settings.app_database_url or "")
    monkeypatch.setenv("TENOR_AUDITOR_DATABASE_URL", settings.auditor_database_url or "")
    return CliRunner()


def test_the_command_prints_one_object_with_all_figures(command: CliRunner) -> None:
    first, second = (command.invoke(app, ["demo", "--every", "20", "--json"]) for _ in range(2))

    assert (first.exit_code, second.exit_code) == (0, 0), first.output
    figures, again = json.loads(first.stdout), json.loads(second.stdout)
    assert figures["holds"]
    assert [tenant["was_there"] for tenant in figures["tenants"]] == [False, False]
    assert [tenant["was_there"] for tenant in again["tenants"]] == [True, True]
    telco = figures["tenants"][1]
    assert telco["tenant"] == "telco-demo-20"
    assert telco["steps"][0]["runs"][0]["documents"][0]["count"] == 352  # 7,043 / 20
    assert telco["trial_balance"]["difference"] == {"USD": "0.00"}
    assert again["document"] == figures["document"]
    assert [
        run["documents"] for tenant in again["tenants"] for step in tenant["steps"] for run in step["runs"] or ()
    ] == [
        [],
        [],
    ]


def test_the_command_prints_attribution_rows_and_proof(command: CliRunner) -> None:
    result = command.invoke(app, ["demo", "--every", "20"])

    assert result.exit_code == 0
    for words in ("CC-BY 4.0", "ai-demo-20", "telco-demo-20", "2023-12-01", "debits − credits = 0.00 USD", "Proven"):
        assert words in result.stdout


def test_a_figure_that_differs_ends_the_command_with_1(command: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong_stories(*, every: int) -> list[Story]:
        story = telco_story(slug="telco-wrong", every=500)
        exhibit = ai_story(slug="ai-right", every=500)
        return [exhibit, replace(story, checks=lambda _uow: [Check("planted", "1", "2")])]

    monkeypatch.setattr(demo_module, "stories", wrong_stories)
    result = command.invoke(app, ["demo"])

    assert result.exit_code == 1
    assert "DIFFERS" in result.stdout
