"""Words that cannot be acted on are refused with the option or the thing they name, and nothing is written."""

import pytest

from tests.integration.cli.conftest import Shell

ACME = ("-t", "acme")
CREATE = ("subscription", "create", "new", "--customer", "globex", "--plan", "team", *ACME)
CHANGE = ("subscription", "change-quantity", "globex-1", *ACME)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("bill", *ACME, "--as-of", "2026-03-01"), "not_an_instant", "--as-of: '2026-03-01' names no time zone"),
        (
            ("bill", *ACME, "--as-of", "2026-03-01T00:00:00"),
            "not_an_instant",
            "--as-of: '2026-03-01T00:00:00' names no",
        ),
        (("bill", *ACME, "--as-of", ""), "not_an_instant", "--as-of: '' is not an instant"),
        (("bill", *ACME, "--as-of", "2026-02-30T00:00:00Z"), "not_an_instant", "--as-of: '2026-02-30T00:00:00Z'"),
        (("bill", *ACME, "--as-of", "9999-01-01T00:00:00Z"), "not_an_instant", "lies outside the years 1970 to 8999"),
        (
            ("bill", *ACME, "--as-of", "2026-01-15T00:00:00Z"),
            "run_in_the_past",
            "2026-02-01T00:00:00Z has billed beyond",
        ),
        (("bill", "-t", "real", "--as-of", "2999-01-01T00:00:00Z"), "beyond_clock", "has not come yet for 'real'"),
        (("bill", "-t", "nobody"), "not_found", "there is no tenant 'nobody'"),
        (("prove", "-t", "nobody"), "not_found", "there is no tenant 'nobody'"),
        (("ledger", "trial-balance", "-t", ""), "not_found", "there is no tenant ''"),
        (("invoice", "list", "-t", "nobody"), "not_found", "there is no tenant 'nobody'"),
    ],
)
def test_a_run_that_cannot_be(shop: Shell, words: tuple[str, ...], code: str, says: str) -> None:
    shop.refused(*words, code=code, says=says)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("-q", "seats"), "malformed", "--quantity 'seats': write CHARGE=NUMBER"),
        (
            ("-q", "seats=1", "-q", "seats=2"),
            "malformed",
            "--quantity 'seats=2': write CHARGE=NUMBER, each charge once",
        ),
        (("-q", "seats=-1"), "not_a_decimal", "--quantity seats: -1 is negative"),
        (("-q", "seats=NaN"), "not_a_decimal", "--quantity seats: 'NaN' is not a decimal"),
        (("-q", "seats=1e999"), "not_a_decimal", "--quantity seats: 1E+999 has more than 15 digits"),
        (("-q", "seats="), "not_a_decimal", "--quantity seats: '' is not a decimal"),
        (("-q", "chairs=1"), "subscriptions_refused", "quantities.chairs: plan 'team' has no such charge"),
        (("-q", "base=1"), "subscriptions_refused", "quantities.base: not for a recurring charge"),
        (("--price", "base=-1"), "not_a_decimal", "--price base: -1 is negative"),
        (("--price", "calls=1"), "subscriptions_refused", "prices.calls: not for a usage charge"),
        (("--discount-percent", "101"), "subscriptions_refused", "discount: 101 % is not between 0 and 100"),
        (("--discount-percent", "-1"), "subscriptions_refused", "discount: -1 % is not between 0 and 100"),
        (("--discount-percent", "NaN"), "not_a_decimal", "--discount-percent: 'NaN' is not a decimal"),
        (("--start", "2026-01-01"), "not_an_instant", "--start: '2026-01-01' names no time zone"),
        (("--start", ""), "not_an_instant", "--start: '' is not an instant"),
        (("--trial-days", "99999999999"), "subscriptions_refused", "trial_days"),
        (("--no-trial-converts",), "subscriptions_refused", "trial_converts: there is no trial"),
        (("--plan", "gold"), "subscriptions_refused", "plan: no plan 'gold' is sold at 2026-02-01T00:00:00Z"),
        (("--customer", "nobody"), "not_found", "there is no customer 'nobody'; `tenor customer add` registers one"),
    ],
)
def test_a_subscription_that_cannot_be_made(shop: Shell, words: tuple[str, ...], code: str, says: str) -> None:
    shop.refused(*CREATE, *words, code=code, says=says)


def test_a_subscription_whose_name_is_taken_or_is_none(shop: Shell) -> None:
    name = CREATE.index("new")

    for taken, says in (("globex-1", "made with other content"), ("", "1 to 200 printable"), ("a\tb", "printable")):
        words = (*CREATE[:name], taken, *CREATE[name + 1 :])
        shop.refused(*words, code="subscriptions_refused", says=says)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        ((*CHANGE, "-q", "seats=9", "--version", "1"), "version_conflict", "at version 2, not 1"),
        ((*CHANGE, "-q", "seats=9", "--version", "0"), "version_conflict", "at version 2, not 0"),
        ((*CHANGE,), "malformed", "--quantity CHARGE=UNITS"),
        ((*CHANGE, "-q", "seats=-9"), "not_a_decimal", "--quantity seats: -9 is negative"),
        ((*CHANGE, "-q", "chairs=9"), "terms_refused", "chairs"),
        ((*CHANGE, "-q", "seats=9", "--effective", "soon"), "not_an_instant", "--effective: 'soon' is not an instant"),
        (
            (*CHANGE, "-q", "seats=9", "--effective", "2025-01-01T00:00:00Z"),
            "outside_life",
            "nothing of the subscription",
        ),
        (
            ("subscription", "change-plan", "globex-1", "--plan", "gold", *ACME),
            "plan_not_sold",
            "no plan 'gold' is sold",
        ),
        (("subscription", "cancel", "globex-1", "--version", "7", *ACME), "version_conflict", "at version 2, not 7"),
        (("subscription", "cancel", "globex-1", "--version", "0", *ACME), "version_conflict", "at version 2, not 0"),
        (
            ("subscription", "change-plan", "globex-1", "--plan", "solo", "--version", "0", *ACME),
            "version_conflict",
            "at version 2, not 0",
        ),
        (
            ("subscription", "cancel", "globex-9", *ACME),
            "subscription_not_found",
            "there is no subscription 'globex-9'",
        ),
        (("subscription", "show", "", *ACME), "subscription_not_found", "there is no subscription ''"),
    ],
)
def test_a_change_that_cannot_be(shop: Shell, words: tuple[str, ...], code: str, says: str) -> None:
    shop.refused(*words, code=code, says=says)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("globex", "--tax-percent", "19"), "customer_differs", "tax_percent 19 is given"),
        (("new", "--tax-percent", "NaN"), "not_a_decimal", "--tax-percent: 'NaN' is not a decimal"),
        (("new", "--tax-percent", "19,5"), "not_a_decimal", "--tax-percent: '19,5' is not a decimal"),
        (("new", "--tax-percent", "-1"), "malformed_customer", "a tax of -1 % is not between 0 and 100"),
        (("new", "--country", "Germany"), "malformed_customer", "'Germany' is not a country code"),
        (("new", "--timezone", "Mars"), "unknown_zone", "'Mars' is not a time zone"),
        (("new", "--timezone", ""), "unknown_zone", "'' is not a time zone"),
        (("",), "malformed_customer", "an external id has 1 to 200 printable characters"),
        (("x" * 201,), "malformed_customer", "an external id has 1 to 200 printable characters"),
    ],
)
def test_a_customer_that_cannot_be(shop: Shell, words: tuple[str, ...], code: str, says: str) -> None:
    shop.refused("customer", "add", *words, *ACME, code=code, says=says)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("acme",), "slug_taken", "there is a tenant 'acme' already"),
        (("Acme Inc.",), "malformed", "a slug is a letter a–z and up to 62 more of a–z, 0–9 and '-'"),
        (("",), "malformed", "a slug is a letter"),
        (("new", "--timezone", "../../etc/passwd"), "malformed", "'../../etc/passwd' is not a time zone"),
        (("new", "--profile", "acme"), "unknown_policy", "there is no profile 'acme'; known: "),
        (("new", "--clock", "2026-01-01T00:00:00Z"), "malformed", "only a sandbox has a clock of its own"),
        (("new", "--sandbox", "--clock", "2026-01-01"), "not_an_instant", "--clock: '2026-01-01' names no time zone"),
        (("new", "--sandbox", "--clock", ""), "not_an_instant", "--clock: '' is not an instant"),
    ],
)
def test_a_tenant_that_cannot_be(shop: Shell, words: tuple[str, ...], code: str, says: str) -> None:
    shop.refused("tenant", "create", *words, code=code, says=says)


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("INV", "malformed"),
        ("", "malformed"),
        ("inv-1", "malformed"),
        ("INV-1.5", "malformed"),
        ("INV-١", "malformed"),
        ("INV-9999999999999999999", "malformed"),  # beyond a bigint
        ("'; drop table invoices; --", "malformed"),
        ("cus_01h455vb4pex5vsknk084sn02q", "malformed"),
        ("inv_", "not_an_id"),
        ("inv_zzzzzzzzzzzzzzzzzzzzzzzzzz", "not_an_id"),  # beyond 128 bits
        ("inv_01h455vb4pex5vsknk084sn0uu", "not_an_id"),  # u is no letter of the alphabet
        ("inv_01h455vb4pex5vsknk084sn02q", "document_not_found"),
        ("INV-0", "document_not_found"),
        ("INV-999999999999999999", "document_not_found"),
    ],
)
def test_a_document_that_is_none(shop: Shell, reference: str, code: str) -> None:
    for command in ("show", "explain"):
        shop.refused("invoice", command, reference, *ACME, code=code, says=reference[:20])
