"""Who calls: the key behind a credential, looked up inside the transaction that it opens."""

from dataclasses import dataclass
from datetime import datetime

from tenor.access.credentials import Credential, Mode
from tenor.access.model import ApiKey
from tenor.access.scopes import require_scope
from tenor.access.store import key_by_digest
from tenor.kernel.errors import NotFound, Refusal
from tenor.platform.tenants import Tenant, current_tenant
from tenor.platform.unit_of_work import UnitOfWork


class Unauthenticated(Refusal):
    """A call without a credential, or with one that is not, or no longer, a key."""

    code = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Caller:
    """A key that may be used, and its tenant."""

    key: ApiKey
    tenant: Tenant


def authenticate(uow: UnitOfWork, credential: Credential, *, needs: str, at: datetime) -> Caller:
    """Return who calls. `uow` is a transaction of the tenant that the credential names; `at` is of the wall clock.

    An unknown tenant, an unknown key, one that has expired and one that was revoked get the same answer.

    Raises:
        Unauthenticated: there is no such key, or it may not be used any more.
        ScopeMissing: it may not do what `needs` says.
    """
    key = key_by_digest(uow, credential.digest)
    if key is None or key.status(at) != "live":
        raise Unauthenticated("this API key is not, or no longer, valid")
    require_scope(key.scopes, needs)
    try:
        tenant = current_tenant(uow)
    except NotFound:
        raise Unauthenticated("this API key is not, or no longer, valid") from None
    return Caller(key, tenant)


def mode_of(tenant: Tenant) -> Mode:
    """Return which keys a tenant has: test keys for a sandbox, so that nobody sends a live one to it by mistake."""
    return Mode.TEST if tenant.is_sandbox else Mode.LIVE
