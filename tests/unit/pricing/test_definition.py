"""The definition of a plan version: what it hashes to, for ever, and what it is read back as."""

from uuid import UUID

import pytest

from tenor.kernel.ids import CustomerId
from tenor.pricing.definition import PlanVersionRecord, content_hash, plan_version
from tenor.pricing.model import PlanVersion, SeatCounting
from tests.support.price_books import as_applied, small_book

SEATS = "{code: base, name: Base fee, kind: seat, unit_amount: 12, counting: high_water, tax_category: ebook}"
BASE = "{code: base, name: Base fee, kind: recurring, amount: 49.00}"
ALICE = CustomerId(UUID(int=1))
BOB = CustomerId(UUID(int=2))


def pro(*replacements: tuple[str, str]) -> PlanVersionRecord:
    return as_applied(small_book(*replacements)).newest["pro"]


def read_back(record: PlanVersionRecord) -> PlanVersion:
    return plan_version(record, stored_hash=content_hash(record))


@pytest.mark.parametrize(
    ("plan", "digest"),
    [
        ("pro", "64b41206796f9f062544f5da16bc5cc27a31ca671d3f80fb81ad7a82c1d0a74c"),
        ("basic", "de378f894ce968e37058255722caa9a575ff541fb60726c314353759382c6567"),
    ],
)
def test_what_was_applied_by_the_first_release_keeps_its_hash(plan: str, digest: str) -> None:
    """Printed by release 0.1; a key that every definition gets would make all stored versions look tampered with."""
    assert content_hash(as_applied(small_book()).newest[plan]).hex() == digest


def test_what_is_not_written_has_its_default() -> None:
    version = read_back(pro())

    assert (version.profile, version.customer_id) == (None, None)
    assert {(charge.counting, charge.tax_category) for charge in version.charges} == {
        (SeatCounting.PRORATED, "standard")
    }


def test_what_is_written_is_read_back() -> None:
    version = read_back(pro((BASE, SEATS), ("features: [sso]", "profile: lago"))._replace(customer_id=ALICE))

    assert (version.profile, version.customer_id) == ("lago", ALICE)
    assert (version.charges[0].counting, version.charges[0].tax_category) == (SeatCounting.HIGH_WATER, "ebook")


def test_the_hash_covers_whom_it_is_sold_to() -> None:
    hashes = {content_hash(pro()._replace(customer_id=customer_id)) for customer_id in (None, ALICE, BOB)}

    assert len(hashes) == 3
