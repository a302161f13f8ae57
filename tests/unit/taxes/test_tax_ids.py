"""Tax ids: the form and check digit of each country. The numbers are those of python-stdnum's own documentation."""

import pytest

from tenor.taxes.errors import InvalidTaxId
from tenor.taxes.rules.european_union import MEMBERS
from tenor.taxes.rules.tax_ids import checked_tax_id


@pytest.mark.parametrize(
    ("country", "written", "compact"),
    [
        ("DE", "DE 136,695 976", "DE136695976"),
        ("DE", "136 695 976", "DE136695976"),
        ("FR", "FR 40 303265045", "FR40303265045"),
        ("AT", "AT U13585627", "ATU13585627"),
        ("NL", "nl 004495445b01", "NL004495445B01"),
        ("GR", "EL 094259216", "EL094259216"),  # Greece writes EL
        ("GR", "GR 094259216", "EL094259216"),
        ("GB", "GB 980 7806 84", "980780684"),
        ("CH", "CHE-107.787.577 IVA", "CHE107787577IVA"),
        ("NO", "NO 995 525 828 MVA", "995525828MVA"),
        ("AU", "83 914 571 673", "83914571673"),
        ("US", "12-3456789", "12-3456789"),  # no rule is known
    ],
)
def test_numbers_that_can_be(country: str, written: str, compact: str) -> None:
    assert checked_tax_id(written.replace(",", " "), country=country) == compact


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("DE", "DE136695977"),  # check digit
        ("DE", "DE13669597"),  # length
        ("DE", "FR40303265045"),  # of another country
        ("FR", "DE136695976"),
        ("GB", "GB 980780685"),
        ("US", "?"),
        ("US", ""),
        ("US", "1" * 41),
        ("DE", "DE١٣٦٦٩٥٩٧٦"),  # digits of another script
    ],
)
def test_numbers_that_cannot_be(country: str, written: str) -> None:
    with pytest.raises(InvalidTaxId):
        checked_tax_id(written, country=country)


def test_every_member_of_the_union_has_a_rule() -> None:
    for country in MEMBERS:
        with pytest.raises(InvalidTaxId):
            checked_tax_id("0", country=country)
        with pytest.raises(InvalidTaxId, match=f"not a tax id of {country}"):
            checked_tax_id("00", country=country)
    assert len(MEMBERS) == 27
