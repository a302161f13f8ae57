"""`/v1/subscriptions`: agreements of customers to plans, every change of them, and what a change would cost."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, NotRequired, cast

from fastapi import Path, Query, Security
from pydantic import Field
from starlette.responses import Response

from tenor.api.bodies import (
    Body,
    Code,
    DecimalIn,
    ExternalId,
    InstantIn,
    LengthIn,
    Line,
    Metadata,
    Reference,
)
from tenor.api.call import DEFAULT_REASON, Call, Effect, Work, a_call, an_effect
from tenor.api.changing import Proposal, carried_out, quoted
from tenor.api.pages import After, Limit, Page, cursor, page, whole
from tenor.api.references import OfCustomer, wanted_customer
from tenor.api.resource import resource
from tenor.api.resources.changes import (
    BillingOfChange,
    Decided,
    Prices,
    Quantities,
    SubscriptionChange,
)
from tenor.customers import customer_id_of, find_customer
from tenor.invoicing import IssuedDocument
from tenor.kernel.ids import CustomerId, SubscriptionId, to_wire
from tenor.platform.unit_of_work import UnitOfWork
from tenor.subscriptions import (
    NewSubscription,
    Status,
    Subscription,
    journals,
    list_subscriptions,
    load_items,
    metadata_of,
    named_subscription,
    scheduled,
    set_metadata,
    subscribe,
)
from tenor.wire import (
    CustomerJson,
    EntryJson,
    IssuedJson,
    PhaseJson,
    QuoteJson,
    SubscriptionJson,
    customer_json,
    entries_json,
    issued_json,
    subscription_json,
    timeline_json,
)

router = resource("Subscriptions")
Reads = Annotated[Call, Security(a_call, scopes=["subscriptions:read"])]
Writes = Annotated[Effect, Security(an_effect, scopes=["subscriptions:write"])]
SubscriptionRef = Annotated[str, Path(max_length=200, description="Id (`sub_…`) or external id.")]
Expand = Annotated[
    list[Literal["customer", "timeline"]] | None, Query(description="What is to be told along; may be repeated.")
]


class KnownSubscriptionJson(SubscriptionJson):
    """A subscription with what you keep with it, and what was asked to be told along."""

    metadata: dict[str, str]
    customer: NotRequired[CustomerJson]
    timeline: NotRequired[list[PhaseJson]]
    documents: NotRequired[list[IssuedJson]]


class NewSubscriptionBody(BillingOfChange):
    """A subscription to be. The edition of the plan that is sold when it is made is pinned."""

    customer: Reference
    plan: Code
    external_id: ExternalId
    starts_at: InstantIn | None = None
    ends_at: InstantIn | None = None
    notice_days: Annotated[int, Field(ge=0, le=3_650)] = 0
    renewal: LengthIn | None = None
    anchor_at: InstantIn | None = None
    timezone: Line | None = None
    profile: Line | None = None
    quantities: Quantities = Field(default_factory=dict)
    prices: Prices = Field(default_factory=dict)
    discount_percent: DecimalIn = Decimal(0)
    trial_days: Annotated[int | None, Field(ge=0, le=3_650)] = None
    trial_converts: bool = True
    metadata: Metadata = Field(default_factory=dict)

    def request(self, uow: UnitOfWork, at: datetime) -> NewSubscription:
        """Return what is asked for, as of an instant."""
        return NewSubscription(
            external_id=self.external_id,
            customer_id=customer_id_of(uow, self.customer),
            plan=self.plan,
            starts_at=self.starts_at or at,
            quantities=self.quantities,
            prices=self.prices,
            timezone=self.timezone,
            profile=self.profile,
            trial_days=self.trial_days,
            trial_converts=self.trial_converts,
            anchor_at=self.anchor_at,
            ends_at=self.ends_at,
            notice_days=self.notice_days,
            renewal=self.renewal,
            discount_percent=self.discount_percent,
        )


class MetadataBody(Body):
    """What is to be kept with a subscription, instead of what was."""

    metadata: Metadata
    reason: Line | None = None


@router.post("/subscriptions", status_code=201, response_model=KnownSubscriptionJson)
def create(call: Writes, body: NewSubscriptionBody) -> Response:
    """Subscribe a customer to a plan."""
    return carried_out(
        call, _opening(body), quote=body.quote, invoice=body.invoice, shown=known_with_documents, status=201
    )


@router.post("/quotes", response_model=QuoteJson)
def quote_new(call: Writes, body: NewSubscriptionBody) -> Response:
    """Tell what a new subscription would cost now. Create it with `quote`, and it costs exactly that."""
    return quoted(call, _opening(body))


@router.get("/subscriptions", response_model=Page[KnownSubscriptionJson])
def list_(
    call: Reads,
    limit: Limit = 20,
    after: After = None,
    customer: OfCustomer = None,
    status: Annotated[Status | None, Query(description="Only those in this state.")] = None,
    external_id: Annotated[ExternalId | None, Query(description="Only the one of this name.")] = None,
) -> Response:
    """List subscriptions, the newest first."""

    def read(work: Work) -> Page[KnownSubscriptionJson]:
        since = cursor("sub", after)
        found = list_subscriptions(
            work.uow,
            limit=limit + 1,
            after=None if since is None else SubscriptionId(since),
            customer_id=wanted_customer(work.uow, customer),
            status=status,
            external_id=external_id,
        )
        metadata = metadata_of(work.uow, [one.id for one in found])
        return page(
            found,
            "sub",
            limit=limit,
            id_of=lambda one: one.id,
            shown=lambda one: _told(one, metadata[one.id]),
        )

    return call.show(read)


@router.get("/subscriptions/{subscription}", response_model=KnownSubscriptionJson)
def retrieve(call: Reads, subscription: SubscriptionRef, expand: Expand = None) -> Response:
    """Return how a subscription stands."""

    def read(work: Work) -> KnownSubscriptionJson:
        held = named_subscription(work.uow, subscription)
        told = _known(work, held)
        if "customer" in (expand or ()):
            told["customer"] = customer_json(find_customer(work.uow, to_wire("cus", held.customer_id)))
        if "timeline" in (expand or ()):
            (loaded,) = load_items(work.uow, [held.id])
            told["timeline"] = timeline_json(work.uow, loaded)
        return told

    return call.show(read)


@router.post("/subscriptions/{subscription}/metadata", response_model=KnownSubscriptionJson)
def update_metadata(call: Writes, subscription: SubscriptionRef, body: MetadataBody) -> Response:
    """Replace what you keep with a subscription."""

    def make(work: Work) -> KnownSubscriptionJson:
        held = named_subscription(work.uow, subscription)
        set_metadata(work.uow, held.id, body.metadata, **work.deed(body.reason))
        return _known(work, held)

    return call.once(make)


@router.get("/subscriptions/{subscription}/changes", response_model=Page[EntryJson])
def list_changes(
    call: Reads,
    subscription: SubscriptionRef,
    ahead: Annotated[bool, Query(description="Only what is still to take effect.")] = False,  # noqa: FBT002  a query
) -> Response:
    """List the changes of a subscription; those that were taken back too, unless only what is ahead is asked for."""

    def read(work: Work) -> Page[EntryJson]:
        held = named_subscription(work.uow, subscription)
        entries = journals(work.uow, [held.id])[held.id]
        shown = scheduled(entries, now=work.now) if ahead else entries
        return whole(entries_json(work.uow, shown, entries))

    return call.show(read)


@router.post("/subscriptions/{subscription}/changes", response_model=KnownSubscriptionJson)
def change(call: Writes, subscription: SubscriptionRef, body: SubscriptionChange) -> Response:
    """Change a subscription; `kind` says how. By `quote` it costs what was quoted, with `invoice` it is billed now."""
    return carried_out(
        call, _changing(subscription, body), quote=body.quote, invoice=body.invoice, shown=known_with_documents
    )


@router.post("/subscriptions/{subscription}/quotes", response_model=QuoteJson)
def quote(call: Writes, subscription: SubscriptionRef, body: SubscriptionChange) -> Response:
    """Tell what a change would cost now, without making it."""
    return quoted(call, _changing(subscription, body))


def _opening(body: NewSubscriptionBody) -> Proposal:
    def make(work: Work, at: datetime, _version: int | None) -> list[Subscription]:
        deed = work.deed(body.reason)
        deed["now"] = at
        (made,) = subscribe(work.uow, [body.request(work.uow, at)], **deed)
        if body.metadata:
            set_metadata(work.uow, made, body.metadata, **work.deed(body.reason))
        (loaded,) = load_items(work.uow, [made])
        return [loaded.subscription]

    def buyer(uow: UnitOfWork) -> tuple[CustomerId, int]:
        return customer_id_of(uow, body.customer), 0

    return Proposal(make, buyer)


def _changing(subscription: str, body: SubscriptionChange) -> Proposal:
    def make(work: Work, at: datetime, quoted_version: int | None) -> list[Subscription]:
        held = named_subscription(work.uow, subscription)
        version = next(one for one in (quoted_version, body.version, held.version) if one is not None)
        decided = Decided(version=version, now=at, actor=work.actor, reason=body.reason or DEFAULT_REASON)
        changed = body.make(work.uow, held, decided)
        return [changed] if changed.id == held.id else [changed, held]

    def buyer(uow: UnitOfWork) -> tuple[CustomerId, int]:
        held = named_subscription(uow, subscription)
        return held.customer_id, held.version

    return Proposal(make, buyer)


def _known(work: Work, held: Subscription) -> KnownSubscriptionJson:
    return _told(held, metadata_of(work.uow, [held.id])[held.id])


def _told(held: Subscription, metadata: Mapping[str, str]) -> KnownSubscriptionJson:
    return cast(KnownSubscriptionJson, {**subscription_json(held), "metadata": dict(metadata)})


def known_with_documents(
    work: Work, held: Subscription, issued: Sequence[IssuedDocument] | None
) -> KnownSubscriptionJson:
    """Return a subscription that a change was made to, with the documents that were issued where any were to be."""
    told = _known(work, held)
    if issued is not None:
        told["documents"] = issued_json(issued)
    return told
