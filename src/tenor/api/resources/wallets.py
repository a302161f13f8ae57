"""`/v1/customers/{customer}/wallets`: prepaid credits, what is put in, used, held and given back."""

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import Path, Query, Security
from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from tenor.api.bodies import Body, Code, Currency, ExternalId, InstantIn, Line, QuantityIn
from tenor.api.call import Call, Effect, Work, a_call, an_effect
from tenor.api.pages import Page, whole
from tenor.api.references import id_in_path
from tenor.api.resource import resource
from tenor.customers import customer_id_of, find_customer
from tenor.kernel.ids import GrantId, WalletUseId
from tenor.kernel.quantity import parse_amount, plain
from tenor.pricing import profile
from tenor.wallets import (
    UseRequest,
    WalletBalance,
    commit_reservation,
    find_wallet,
    give_back_credits,
    grant_credits,
    open_wallet,
    release_reservation,
    reserve_credits,
    use_credits,
    void_grant,
    wallet_balances,
    wallet_entries,
    wallet_grants,
)
from tenor.wallets.model import NewGrant, StoredWallet, WalletTerms
from tenor.wire import (
    GrantJson,
    UseJson,
    WalletEntryJson,
    WalletJson,
    grant_json,
    use_json,
    wallet_entry_json,
    wallet_json,
)

router = resource("Wallets")
Reads = Annotated[Call, Security(a_call, scopes=["wallets:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["wallets:write"])]
CustomerRef = Annotated[str, Path(max_length=200, description="Id (`cus_…`) or external id.")]
WalletRef = Annotated[str, Path(max_length=63, description="Code of the wallet.")]
UseRef = Annotated[str, Path(max_length=60, description="Id (`use_…`).")]


class NewWallet(Body):
    """A wallet to be. It counts `unit` (its currency by default); one pays for `rate` of the currency."""

    code: Code = "main"
    currency: Currency
    unit: Annotated[str, Field(pattern="^[A-Za-z][A-Za-z0-9_]{0,31}$")] | None = None
    rate: QuantityIn = Decimal(1)
    overdraws: Annotated[bool, Field(description="Uses go on when nothing is left.")] = False
    pays: Annotated[Literal["usage", "everything"], Field(description="Of invoices, lines of usage alone, or all.")] = (
        "usage"
    )
    repays: Annotated[bool, Field(description="A later grant pays first what was overdrawn.")] = False
    profile: Annotated[str, Field(max_length=100)] = "tenor"
    reason: Line | None = None


class NewCreditGrant(Body):
    """Credit to be put in. `cost` is what was paid for it in the wallet's currency, net of tax; 0: a gift."""

    amount: QuantityIn
    cost: QuantityIn = Decimal(0)
    paid_from: Literal["cash", "invoice", "customer_credit"] = "cash"
    source: Literal["purchase", "promotion", "plan", "refund"] | None = None
    priority: Annotated[int, Field(ge=0, le=255, description="0 burns first, 255 last.")] = 255
    features: Annotated[list[Code], Field(max_length=100)] = Field(default_factory=list)
    effective_at: InstantIn | None = None
    expires_at: InstantIn | None = None
    reason: Line | None = None


class NewUse(Body):
    """What is used, in the wallet's unit. `key` is your own name for it: the same one is used once, for ever."""

    amount: QuantityIn
    key: ExternalId
    feature: Code | None = None


class NewReservation(NewUse):
    """What is held until it is committed or released, or until `expires_at` if nobody does either."""

    expires_at: InstantIn


class Commitment(Body):
    """What was really used; the rest is free again. More than was held is drawn on what else is there."""

    amount: QuantityIn


class GivingBack(Body):
    """How much of a use is taken back; all by default."""

    amount: QuantityIn | None = None
    reason: Line | None = None


class CreditDecision(Body):
    """Why something is done."""

    reason: Line | None = None


class VoidedJson(TypedDict):
    """What was taken out of a grant, in the wallet's unit."""

    voided: str


@router.get("/customers/{customer}/wallets", response_model=Page[WalletJson])
def list_(call: Reads, customer: CustomerRef) -> Response:
    """List the wallets of a customer with what they have now."""

    def read(work: Work) -> Page[WalletJson]:
        held = find_customer(work.uow, customer)
        return whole(map(wallet_json, wallet_balances(work.uow, [held.id], at=work.now)))

    return call.show(read)


@router.post("/customers/{customer}/wallets", status_code=201, response_model=WalletJson)
def create(call: Writes, customer: CustomerRef, body: NewWallet) -> Response:
    """Open a wallet. Its terms never change."""

    def make(work: Work) -> WalletJson:
        policy = profile(body.profile).credits
        terms = WalletTerms(
            code=body.code,
            unit=body.unit or body.currency,
            currency=body.currency,
            rate=body.rate,
            overdraws=body.overdraws,
            repays_advances=body.repays or policy.advance_backfill,
            burn_order=policy.burn_order,
            eligibility=policy.credit_eligibility,
            pays=body.pays,
        )
        open_wallet(work.uow, customer_id_of(work.uow, customer), terms, **work.deed(body.reason))
        return wallet_json(_balance(work, customer, body.code))

    return call.once(make, status=201)


@router.get("/customers/{customer}/wallets/{wallet}", response_model=WalletJson)
def retrieve(call: Reads, customer: CustomerRef, wallet: WalletRef) -> Response:
    """Return a wallet with what it has now."""
    return call.show(lambda work: wallet_json(_balance(work, customer, wallet)))


@router.get("/customers/{customer}/wallets/{wallet}/grants", response_model=Page[GrantJson])
def list_grants(
    call: Reads,
    customer: CustomerRef,
    wallet: WalletRef,
    every: Annotated[bool, Query(alias="all", description="Those of which nothing is left, too.")] = False,  # noqa: FBT002  a query
) -> Response:
    """List the grants of a wallet in the order in which they burn."""

    def read(work: Work) -> Page[GrantJson]:
        held = _wallet(work, customer, wallet)
        found = wallet_grants(work.uow, held, is_whole_story=every)
        return whole(grant_json(one, held.terms.currency) for one in found)

    return call.show(read)


@router.post("/customers/{customer}/wallets/{wallet}/grants", status_code=201, response_model=GrantJson)
def grant(call: Writes, customer: CustomerRef, wallet: WalletRef, body: NewCreditGrant) -> Response:
    """Put credit into a wallet."""

    def make(work: Work) -> GrantJson:
        held = _wallet(work, customer, wallet)
        currency = held.terms.currency
        cost_minor = parse_amount(body.cost, currency, name="/cost")
        new = NewGrant(
            amount=body.amount,
            source=body.source or ("purchase" if cost_minor else "promotion"),
            category="paid" if cost_minor else "promotional",
            cost_minor=cost_minor,
            priority=body.priority,
            features=frozenset(body.features),
            effective_at=body.effective_at,
            expires_at=body.expires_at,
            paid_from=body.paid_from,
        )
        made = grant_credits(work.uow, held.id, new, **work.deed(body.reason))
        found = wallet_grants(work.uow, held, is_whole_story=True)
        return next(grant_json(one, currency) for one in found if one.id == made.grant_id)

    return call.once(make, status=201)


@router.get("/customers/{customer}/wallets/{wallet}/entries", response_model=Page[WalletEntryJson])
def list_entries(
    call: Reads,
    customer: CustomerRef,
    wallet: WalletRef,
    after: Annotated[int, Query(ge=0, le=2**53, description="Begin after this entry.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000, description="How many, at most.")] = 100,
) -> Response:
    """List what happened in a wallet, entry by entry."""

    def read(work: Work) -> Page[WalletEntryJson]:
        held = _wallet(work, customer, wallet)
        found = wallet_entries(work.uow, held.id, after_no=after, limit=limit)
        return whole(wallet_entry_json(one, held.terms.currency) for one in found)

    return call.show(read)


@router.post("/customers/{customer}/wallets/{wallet}/uses", status_code=201, response_model=UseJson)
def use(call: Writes, customer: CustomerRef, wallet: WalletRef, body: NewUse) -> Response:
    """Use credit."""

    def make(work: Work) -> UseJson:
        request = UseRequest(_wallet(work, customer, wallet).id, body.amount, body.key, body.feature)
        return use_json(use_credits(work.uow, request, now=work.now).use)

    return call.once(make, status=201)


@router.post("/customers/{customer}/wallets/{wallet}/reservations", status_code=201, response_model=UseJson)
def reserve(call: Writes, customer: CustomerRef, wallet: WalletRef, body: NewReservation) -> Response:
    """Hold credit for a use whose size is known later; nothing else can use it meanwhile."""

    def make(work: Work) -> UseJson:
        request = UseRequest(_wallet(work, customer, wallet).id, body.amount, body.key, body.feature)
        return use_json(reserve_credits(work.uow, request, expires_at=body.expires_at, now=work.now).use)

    return call.once(make, status=201)


@router.post("/wallet-uses/{use}/commit", response_model=UseJson)
def commit(call: Writes, use: UseRef, body: Commitment) -> Response:
    """Use what is held."""
    return call.once(lambda work: use_json(commit_reservation(work.uow, _use_id(use), body.amount, now=work.now).use))


@router.post("/wallet-uses/{use}/release", response_model=UseJson)
def release(call: Writes, use: UseRef, body: CreditDecision) -> Response:  # noqa: ARG001  strictly empty, or a reason
    """Give free what is held, exactly to the grants that it was held of."""
    return call.once(lambda work: use_json(release_reservation(work.uow, _use_id(use), now=work.now).use))


@router.post("/wallet-uses/{use}/give-back", response_model=UseJson)
def give_back(call: Writes, use: UseRef, body: GivingBack) -> Response:
    """Take a use back, or part of it: its grants have that again, what was drawn last first."""
    return call.once(
        lambda work: use_json(give_back_credits(work.uow, _use_id(use), body.amount, **work.deed(body.reason)).use)
    )


@router.post("/credit-grants/{grant}/void", response_model=VoidedJson)
def void_grant_(
    call: Writes, grant: Annotated[str, Path(max_length=60, description="Id (`grt_…`).")], body: CreditDecision
) -> Response:
    """Take out what is left of a grant; what was used stays used."""

    def make(work: Work) -> VoidedJson:
        moved = void_grant(work.uow, GrantId(id_in_path("grt", grant)), **work.deed(body.reason))
        return VoidedJson(voided=plain(sum((movement.amount for _, movement in moved), Decimal(0))))

    return call.once(make)


def _wallet(work: Work, customer: str, code: str) -> StoredWallet:
    return find_wallet(work.uow, customer_id_of(work.uow, customer), code)


def _balance(work: Work, customer: str, code: str) -> WalletBalance:
    held = _wallet(work, customer, code)
    balances = wallet_balances(work.uow, [held.customer_id], at=work.now)
    return next(one for one in balances if one.wallet.id == held.id)


def _use_id(text: str) -> WalletUseId:
    return WalletUseId(id_in_path("use", text))
