"""A price book that cannot be taken is refused with the file, line and column of everything that is wrong with it."""

import pytest

from tests.integration.cli.conftest import BOOK, Shell

ACME = ("-t", "acme")


def broken(*replacements: tuple[str, str]) -> str:
    """Return the applied price book with each (old, new) text replaced where it stands first."""
    text = BOOK
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


# Ten levels, each of ten aliases of the one before: 10^10 values in 400 bytes
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("price_book: [acme\ncurrency: USD\n", "line 2, column 9: this is not YAML", id="malformed"),
        pytest.param(broken(("    charges:", "\tcharges:")), "line 15, column 1: this is not YAML", id="tab"),
        pytest.param(
            broken(("currency: USD", "currency: USD\ncurrency: EUR")),
            "line 3, column 1: the key 'currency' occurs twice; first on line 2",
            id="key-twice",
        ),
        pytest.param(BOMB, "the file has more than 100,000 values", id="bomb"),
        pytest.param("a: &a [*a]\n", "line 1, column 8: the alias *a is inside what it refers to", id="endless"),
        pytest.param("[" * 5000, "line 1, column 21: nested more than 20 levels deep", id="deep"),
        pytest.param(bytes(range(256)), "line 2, column 118: this byte is not UTF-8 text", id="binary"),
        pytest.param(BOOK.encode("utf-16"), "line 1, column 1: this byte is not UTF-8 text", id="utf-16"),
        pytest.param(b"\0\0\0", "line 1, column 1: the character U+0000 is not allowed", id="nul"),
        pytest.param("", "line 1, column 1: the file is empty", id="empty"),
        pytest.param("# nothing yet\n", "line 1, column 1: the file is empty", id="comment-only"),
        pytest.param("- acme\n", "line 1, column 1: here must be keys with values", id="list"),
        pytest.param(BOOK + "---\n" + BOOK, "line 26, column 1: a second document begins here", id="two-documents"),
        pytest.param("x" * 10_000_000, "the file has 10,000,000 bytes; at most 1,000,000 are read", id="huge"),
        pytest.param(
            broken(("name: Team", "name: !!python/object/apply:os.system [ls]")),
            "line 12, column 11: the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
            id="tag",
        ),
        pytest.param(
            broken(("metric: calls", "metric: watts")),
            "line 18, column 61: plans[0].charges[2].metric: there is no metric 'watts'",
            id="unknown-metric",
        ),
        pytest.param(
            broken(("currency: USD", "currency: DOLLARS")),
            "line 2, column 11: currency: 'DOLLARS' is not an ISO 4217 currency code",
            id="wrong-currency",
        ),
        pytest.param(
            broken(("quantity: 3", "quantity: -3")),
            "line 17, column 77: plans[0].charges[1].quantity: -3 is negative",
            id="negative-seats",
        ),
        pytest.param(
            broken(("unit_amount: 8.00", "unit_amount: -8.00")),
            "line 17, column 61: plans[0].charges[1].unit_amount: -8 is negative",
            id="negative-price",
        ),
        pytest.param(
            broken(("unit_amount: 8.00", "unit_amount: NaN")),
            "plans[0].charges[1].unit_amount: 'NaN' is not a decimal number",
            id="nan",
        ),
        pytest.param(
            broken(("unit_amount: 8.00", "unit_amount: .inf")), "'.inf' is not a decimal number", id="infinity"
        ),
        pytest.param(broken(("unit_amount: 8.00", "unit_amount: 1e999")), "1E+999 has more than 15 digits", id="1e999"),
        pytest.param(
            broken(("unit_amount: 8.00", "unit_amount: ٨")), "'٨' is not a decimal number", id="arabic-digits"
        ),
        pytest.param(
            broken(("amount: 20.00", "amount: 20.005")),
            "20.005 is finer than USD, which has 2 digits",
            id="half-a-cent",
        ),
        pytest.param(
            broken(("2026-01-01T00:00:00Z", "2026-01-01T00:00:00")),
            "line 4, column 12: effective: '2026-01-01T00:00:00' names no time zone",
            id="no-zone",
        ),
        pytest.param(broken(("2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z")), "day is out of range", id="30-february"),
    ],
)
def test_a_file_that_is_no_price_book(shop: Shell, content: str | bytes, says: str) -> None:
    file = shop.file("broken.yaml", content)

    error = shop.refused("catalog", "apply", file, *ACME, code="malformed_price_book", says=says)

    assert error["message"].startswith(f"{file}: the price book has ")
    assert shop("catalog", "plan", file, *ACME).exit_code == 2


def test_everything_that_is_wrong_is_told_at_once(shop: Shell) -> None:
    file = shop.file(
        "many.yaml",
        broken(
            ("currency: USD", "currency: usd"),
            ("2026-01-01T00:00:00Z", "2026-01-01"),
            ("unit_amount: 8.00", "unit_amount: eight"),
            ("metric: calls", "metric: watts"),
            ("interval: month", "interval: fortnight"),
        ),
    )

    error = shop.refused("catalog", "apply", file, *ACME, code="malformed_price_book", says="has 5 problems:")

    assert [(problem["line"], problem["column"], problem["path"]) for problem in error["problems"]] == [
        (2, 11, "currency"),
        (4, 12, "effective"),
        (14, 15, "plans[0].interval"),
        (17, 61, "plans[0].charges[1].unit_amount"),
        (18, 61, "plans[0].charges[2].metric"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(
            broken(("currency: USD", "currency: EUR")),
            "line 2, column 11: currency: acme is applied in USD",
            id="currency",
        ),
        pytest.param(
            broken(("tax_mode: exclusive", "tax_mode: inclusive")),
            "line 3, column 11: tax_mode: acme is applied with exclusive tax",
            id="tax-mode",
        ),
        pytest.param(
            broken(("aggregation: count", "aggregation: sum, field: n")),
            "line 8, column 12: metrics[0].code: the metric is applied as 'Calls', count of events",
            id="metric",
        ),
        pytest.param(
            broken(("2026-01-01T00:00:00Z", "2025-12-01T00:00:00Z"), ("amount: 20.00", "amount: 25.00")),
            "line 4, column 12: effective: 2025-12-01T00:00:00Z is before edition 1",
            id="earlier-edition",
        ),
        pytest.param(
            broken(("price_book: acme", "price_book: other")),
            "line 11, column 11: plans[0].code: the plan belongs to price book 'acme'",
            id="plan-of-another-book",
        ),
    ],
)
def test_a_file_that_contradicts_what_is_applied(shop: Shell, content: str, says: str) -> None:
    file = shop.file("contradicting.yaml", content)

    error = shop.refused("catalog", "apply", file, *ACME, code="conflicting_price_book", says=says)

    assert error["message"].startswith(f"{file}: the price book has ")
    assert shop("catalog", "plan", file, *ACME).exit_code == 2


def test_a_file_that_cannot_be_opened(shop: Shell) -> None:
    nowhere = shop.folder / "nowhere.yaml"

    shop.refused("catalog", "apply", nowhere, *ACME, code="malformed", says=f"{nowhere}: No such file")
    shop.refused("catalog", "plan", shop.folder, *ACME, code="malformed", says=f"{shop.folder}: Is a directory")


def test_an_unknown_tenant(shop: Shell) -> None:
    file = shop.file("right.yaml", BOOK)

    shop.refused("catalog", "apply", file, "-t", "acne", code="not_found", says="there is no tenant 'acne'")
