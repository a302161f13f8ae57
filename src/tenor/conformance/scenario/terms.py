"""What a scenario's policy means for the simulation: zones, service days, and how documents are made up."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from tenor.conformance.cases import Case
from tenor.kernel.calendar import fixed_offset_at, instant_of, local_date, midnight_of, parse_zone
from tenor.kernel.money import EXACT, round_decimal
from tenor.kernel.period import Period
from tenor.pricing.policy import Policy
from tenor.pricing.rules.proration import Share, share_of
from tenor.pricing.rules.rating import MoneyRounding


@dataclass(frozen=True, slots=True)
class Terms:
    """The policy of a case and what follows from it; `opened_at` is the instant of the first step."""

    policy: Policy
    currency: str
    digits: int
    opened_at: datetime
    offset: tzinfo | None

    @property
    def is_account_centred(self) -> bool:
        """Whether the account is what is billed: one anchor day, one run and one credit for all it holds."""
        return self.policy.billing.anchor_scope == "account"

    @property
    def keeps_balance(self) -> bool:
        """Whether what is given back is a line that ends on a balance; else it is a credit note."""
        return "balance" in self.policy.discounts.reduction_order

    @property
    def runs_by_itself(self) -> bool:
        """Whether boundaries are billed as they come; else only when a step moves the clock or names a run.

        A tenant that never catches up bills on the days on which its job ran. Where an account-centred case
        has no account credit there is no account that would bill: its source runs the generator alone.
        """
        return self.policy.calendar.catch_up and (
            self.policy.billing.account_credit_lines or not self.is_account_centred
        )

    @property
    def waits_for_jobs(self) -> bool:
        """Whether only the job of a day bills, ends or finalises what is due: then an `advance` step is that job."""
        return not self.policy.calendar.catch_up and not self.is_account_centred

    @property
    def consolidates(self) -> bool:
        """Whether what is due for one customer in one run shares an invoice."""
        return (
            self.is_account_centred
            or self.policy.billing.consolidation == "customer_day"
            or self.policy.calendar.alignment == "account_bill_date"
        )

    @property
    def counts_days(self) -> bool:
        """Whether service is shared by local days."""
        return self.policy.proration.proration_unit == "day"

    @property
    def opens_at_midnight(self) -> bool:
        """Whether service spans open and close at local midnight."""
        return self.is_account_centred or (self.counts_days and self.policy.calendar.boundary_time == "midnight")

    def zone(self, name: str) -> tzinfo:
        """Return the zone of a customer, one offset all year where the policy fixes it."""
        return self._zone(name, self.policy.calendar.zone)

    def usage_zone(self, name: str) -> tzinfo:
        """Return the zone in which a customer's usage is cut into periods."""
        return self._zone(name, self.policy.calendar.usage_zone)

    def _zone(self, name: str, rule: str) -> tzinfo:
        zone = parse_zone(name)
        if rule == "civil":
            return zone
        return self.offset or fixed_offset_at(zone, self.opened_at)

    def service_instant(
        self,
        instant: datetime,
        zone: tzinfo,
        *,
        opens: bool = False,
        ends: bool = False,
        old_owns_day: bool | None = None,
    ) -> datetime:
        """Return where service changes that was wished at `instant`: a day belongs to one owner as a whole.

        `opens`: nothing was served before; `ends`: nothing is served after. `old_owns_day` None: as the policy says.
        """
        proration = self.policy.proration
        counted = midnight_of(local_date(instant, zone), zone) if self.opens_at_midnight else instant
        if old_owns_day is None:
            old_owns_day = proration.change_day_owner == "old"
        day_stays = proration.termination_day == "billed" if ends else old_owns_day
        return later_by_days(counted, 1, zone) if self.counts_days and day_stays and not opens else counted

    def share(self, whole: Period, part: Period, zone: tzinfo) -> Share | None:
        """Return the share of `whole` that `part` is."""
        return share_of(period=whole, used=part, policy=self.policy.proration, zone=zone)

    @property
    def money(self) -> MoneyRounding:
        """How amounts are rounded."""
        rounding = self.policy.rounding.rounding
        return MoneyRounding(rounding.mode, self.digits if rounding.digits is None else rounding.digits)

    def minor(self, amount: Decimal) -> int:
        """Return `amount` in minor units, rounded once."""
        return int(round_decimal(amount, digits=self.digits, mode=self.money.mode).scaleb(self.digits, context=EXACT))

    def major(self, minor: int) -> Decimal:
        """Return minor units as an amount."""
        return Decimal(minor).scaleb(-self.digits)


def terms_of(case: Case, opened_at: datetime) -> Terms:
    """Return the terms of a case whose first step is at `opened_at`."""
    offset = parse_zone(case.body["offset"]) if "offset" in case.body else None
    return Terms(case.policy(), case.body.get("currency", ""), case.currency_digits, opened_at, offset)


def later_by_days(instant: datetime, days: int, zone: tzinfo) -> datetime:
    """Return the same local time `days` later."""
    local = instant.astimezone(zone)
    return instant_of(local.date() + timedelta(days=days), local.time(), zone)


def same_clock(instant: datetime, day_of: datetime, zone: tzinfo) -> datetime:
    """Return the local time of `instant` on the local day of `day_of`."""
    return instant_of(local_date(day_of, zone), instant.astimezone(zone).time(), zone)
