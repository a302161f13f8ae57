"""Say how customers are taxed, many at once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tenor.kernel.errors import NotFound
from tenor.kernel.ids import CustomerId, to_wire
from tenor.platform.audit import Deed, record
from tenor.platform.outbox import Event, publish
from tenor.platform.unit_of_work import UnitOfWork
from tenor.taxes.model import TaxProfile
from tenor.taxes.rules.tax_ids import checked_tax_id
from tenor.taxes.store import customers_by_facts, write_profiles


def set_tax_profiles(
    uow: UnitOfWork, profiles: Mapping[CustomerId, TaxProfile], *, now: datetime, actor: str, reason: str
) -> Mapping[CustomerId, TaxProfile]:
    """Give customers their tax profiles; return those that changed, with tax ids in their compact form.

    What is billed stays as billed; the next settlement uses the new profile.

    Raises:
        InvalidTaxId: a tax id that the customer's country cannot have issued.
        NotFound: one of them is no customer of this tenant.
    """
    alike = customers_by_facts(uow, profiles)
    before = {customer_id: facts.profile for facts, members in alike.items() for customer_id in members}
    checked = {customer_id: _checked(profile) for customer_id, profile in profiles.items()}
    for customer_id in checked:
        if customer_id not in before:
            raise NotFound(f"there is no customer {to_wire('cus', customer_id)}")
    changed = {customer_id: profile for customer_id, profile in checked.items() if profile != before[customer_id]}
    if changed:
        write_profiles(uow, changed)
        told = {customer_id: profile_to_json(profile) for customer_id, profile in changed.items()}
        deeds = []
        for customer_id, after in told.items():
            was = before[customer_id]
            deeds.append(
                Deed(
                    actor,
                    "tax_profile.set",
                    "customer",
                    customer_id,
                    reason,
                    now,
                    before=profile_to_json(was) if was else None,
                    after=after,
                )
            )
        record(uow, deeds)
        publish(uow, [Event("tax_profile.set", customer_id, after, now) for customer_id, after in told.items()])
    return changed


def profile_to_json(profile: TaxProfile) -> dict[str, Any]:
    """Return a profile as audit records, events and the command line tell it."""
    return {
        "jurisdiction": str(profile.jurisdiction),
        "tax_id": profile.tax_id,
        "is_exempt": profile.is_exempt,
        "exemption_reason": profile.exemption_reason,
        "is_reverse_charge": profile.is_reverse_charge,
    }


def _checked(profile: TaxProfile) -> TaxProfile:
    if profile.tax_id is None:
        return profile
    return replace(profile, tax_id=checked_tax_id(profile.tax_id, country=profile.jurisdiction.country))
