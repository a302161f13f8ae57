"""Tenants as JSON."""

from typing_extensions import TypedDict

from tenor.kernel.ids import to_wire
from tenor.platform.tenants import Tenant
from tenor.wire.forms import Instant, instant


class TenantJson(TypedDict):
    """A company that bills; `clock_at` is a sandbox's own time, null the wall clock."""

    id: str
    slug: str
    name: str
    is_sandbox: bool
    clock_at: Instant | None
    timezone: str
    profile: str


def tenant_json(tenant: Tenant) -> TenantJson:
    """Return a tenant."""
    return TenantJson(
        id=to_wire("ten", tenant.tenant_id),
        slug=tenant.slug,
        name=tenant.name,
        is_sandbox=tenant.is_sandbox,
        clock_at=instant(tenant.clock_at),
        timezone=tenant.timezone,
        profile=tenant.profile,
    )
