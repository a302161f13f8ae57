"""The resources, one file each: what a call says, which operation it calls, and what is answered."""

from typing import Final

from fastapi import APIRouter

from tenor.api.resources import (
    billing_settings,
    catalog,
    clock,
    contracts,
    coupons,
    customers,
    drafts,
    entitlements,
    events,
    invoices,
    keys,
    ledger,
    one_offs,
    proformas,
    refunds,
    running_usage,
    runs,
    sessions,
    statements,
    subscriptions,
    taxes,
    tenants,
    usage,
    users,
    wallets,
    webhooks,
)

RESOURCES: Final[tuple[APIRouter, ...]] = (
    catalog.router,
    coupons.router,
    contracts.router,
    customers.router,
    billing_settings.router,
    taxes.router,
    subscriptions.router,
    entitlements.router,
    usage.router,
    running_usage.router,
    wallets.router,
    invoices.router,
    drafts.router,
    one_offs.router,
    refunds.router,
    proformas.router,
    statements.router,
    runs.router,
    clock.router,
    ledger.router,
    events.router,
    webhooks.router,
    keys.router,
    users.router,
    sessions.router,
    tenants.router,
)
"""Every resource under /v1, in the order of the document."""
