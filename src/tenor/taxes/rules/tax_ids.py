"""Tax ids: is a number one that its country can have issued? Form and check digit only; nobody is asked."""

import re
from typing import Final

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

from tenor.taxes.errors import InvalidTaxId
from tenor.taxes.rules.european_union import MEMBERS

_PREFIX_OF_GREECE: Final = "EL"
_PLAIN: Final = re.compile(r"[A-Z0-9][A-Z0-9 ./-]{1,39}")


def checked_tax_id(text: str, *, country: str) -> str:
    """Return the tax id of a business in `country` in its compact form; that of an EU country with its prefix.

    A country whose numbers no rule is known for takes what looks like a number at all.

    Raises:
        InvalidTaxId: the country cannot have issued it; the message says why.
    """
    written = text.strip().upper()
    if not _PLAIN.fullmatch(written):
        raise InvalidTaxId(f"{text[:40]!r} is not a tax id: 2 to 40 letters and digits")
    rule = get_cc_module(country.lower(), "vat")
    if rule is None:
        return written
    try:
        number = str(rule.validate(written))
    except ValidationError as error:
        raise InvalidTaxId(f"{text[:40]!r} is not a tax id of {country}: {error}", country=country) from None
    if country not in MEMBERS:
        return number
    prefix = _PREFIX_OF_GREECE if country == "GR" else country
    return number if number.startswith(prefix) else prefix + number
