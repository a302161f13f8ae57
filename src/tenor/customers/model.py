"""Customers: the parties that subscriptions belong to and documents are addressed to."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from tenor.kernel.calendar import parse_zone
from tenor.kernel.errors import Malformed
from tenor.kernel.external_ids import external_id_flaw
from tenor.kernel.ids import CustomerId
from tenor.kernel.quantity import parse_decimal

NAME_LENGTH_MAX: Final = 500
EMAIL_LENGTH_MAX: Final = 254
ADDRESS_LENGTH_MAX: Final = 1000
TAX_FRACTION_DIGITS: Final = 6

_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_EMAIL: Final = re.compile(r"[^\s@\0]+@[^\s@\0]+\.[^\s@\0]+")


class MalformedCustomer(Malformed):
    """Details that no customer can have."""

    code = "malformed_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerDetails:
    """What is known about a customer.

    `external_id` is the name by which the tenant's own systems know it, unique within the tenant;
    `country` is an ISO 3166-1 code in capitals; `timezone` is an IANA name or an offset and the default of new
    subscriptions; `tax_percent` is in percent (20 is 20 %), at most six digits after the point. `name`, `email` and
    `address` (postal, in lines) are personal data: they are kept sealed, and are gone once the customer was erased.

    Raises:
        MalformedCustomer: one of them is out of its bounds.
        UnknownZone: there is no such time zone.
        NotADecimal: the tax is no decimal within its digits.
    """

    external_id: str
    name: str
    country: str | None = None
    timezone: str = "UTC"
    tax_percent: Decimal = Decimal(0)
    email: str | None = None
    address: str | None = None

    def __post_init__(self) -> None:
        who = f"customer {self.external_id[:60]!r}"
        if flaw := external_id_flaw(self.external_id):
            raise MalformedCustomer(f"{who}: {flaw}")
        if len(self.name) > NAME_LENGTH_MAX or "\0" in self.name:
            raise MalformedCustomer(f"{who}: a name has at most {NAME_LENGTH_MAX} characters")
        if self.email is not None and not (len(self.email) <= EMAIL_LENGTH_MAX and _EMAIL.fullmatch(self.email)):
            raise MalformedCustomer(f"{who}: {self.email[:60]!r} is no email address")
        if self.address is not None and not (len(self.address) <= ADDRESS_LENGTH_MAX and "\0" not in self.address):
            raise MalformedCustomer(f"{who}: an address has at most {ADDRESS_LENGTH_MAX} characters")
        if self.country is not None and not _COUNTRY.fullmatch(self.country):
            raise MalformedCustomer(f"{who}: {self.country[:20]!r} is not a country code such as 'DE'")
        parse_zone(self.timezone)  # refuses what is no zone
        tax_percent = parse_decimal(self.tax_percent, name=f"{who}: tax percent", fraction_digits=TAX_FRACTION_DIGITS)
        if not 0 <= tax_percent <= 100:
            raise MalformedCustomer(f"{who}: a tax of {tax_percent} % is not between 0 and 100")


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(CustomerDetails):
    """A registered customer. Of one that `is_erased`, name, email and address are gone for good.

    `metadata` is the tenant's own, never read here; `version` counts the changes that are made to it one by one.
    """

    id: CustomerId
    created_at: datetime
    is_erased: bool = False
    version: int = 1
    metadata: Mapping[str, str] = field(default_factory=dict)
