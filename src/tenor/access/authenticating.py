"""Who calls: the key or the session behind a credential, looked up inside the transaction that it opens."""

from dataclasses import dataclass
from datetime import datetime

from tenor.access.credentials import Credential, Mode
from tenor.access.model import ApiKey, Unauthenticated
from tenor.access.scopes import require_scope
from tenor.access.store import key_by_digest
from tenor.access.users.model import User
from tenor.access.users.sessions import authenticate_session
from tenor.kernel.ids import to_wire
from tenor.platform.audit import name_request
from tenor.platform.tenants import Tenant, current_tenant
from tenor.platform.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Caller:
    """Who may call, a program with its key or somebody who has signed in, and the tenant."""

    who: ApiKey | User
    tenant: Tenant

    @property
    def name(self) -> str:
        """The id of the key or the user, by which logs and the audit name who calls."""
        return to_wire("usr" if isinstance(self.who, User) else "key", self.who.id)


def authenticate(
    uow: UnitOfWork, credential: Credential, *, needs: str | None, at: datetime, request_id: str
) -> Caller:
    """Return who calls. `uow` is a transaction of the tenant that the credential names; `at` is of the wall clock.

    Records of the transaction name the request `request_id` from here on.

    `needs` is a scope; None where it is enough to be known. An unknown tenant, an unknown key, one that has expired and
    one that was revoked get the same answer.

    Raises:
        Unauthenticated: there is no such key or session, or it may not be used any more.
        ScopeMissing: it may not do what `needs` says.
    """
    if credential.mode is Mode.SESSION:
        name_request(uow, request_id)
        return Caller(authenticate_session(uow, credential, needs=needs, at=at), current_tenant(uow))
    found = key_by_digest(uow, credential.digest, request_id=request_id)
    if found is None or found[0].status(at) != "live":
        raise Unauthenticated("this API key is not, or no longer, valid")
    key, tenant = found
    if needs is not None:
        require_scope(key.scopes, needs)
    return Caller(key, tenant)


def mode_of(tenant: Tenant) -> Mode:
    """Return which keys a tenant has: test keys for a sandbox, so that nobody sends a live one to it by mistake."""
    return Mode.TEST if tenant.is_sandbox else Mode.LIVE
