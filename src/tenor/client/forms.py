"""Bodies and answers of the API as types. Written by `make docs` from the OpenAPI document. Do not edit."""

from collections.abc import Mapping
from typing import Any, Literal, NotRequired, TypedDict

from tenor.client.written import Instant, Number


class Access(TypedDict):
    """What each state leaves: all, what is there to be read, or nothing."""

    access: dict[str, str]


class Account(TypedDict):
    """An account with the sums of both its sides; the balance counts in its own direction."""

    code: str
    currency: str
    """ISO 4217, such as `EUR`."""
    debits: str
    credits: str
    balance: str


class AddAddOn(TypedDict):
    """A plan to run beside."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["add_add_on"]
    plan: str
    """Code of the plan."""
    quantities: NotRequired[Mapping[str, Number]]
    """Units held, by code of the charge."""
    prices: NotRequired[Mapping[str, Number]]
    """Unit prices in place of the plan's, by code of the charge."""
    anchor: NotRequired[Literal["plan", "own"]]
    """Renew with the plan, or on its own dates."""


class Adjustment(TypedDict):
    """A one-off charge or credit; `document` null: it waits for the next one."""

    id: str
    kind: str
    amount: str
    currency: str
    """ISO 4217, such as `EUR`."""
    document: str | None


class Advance(TypedDict):
    """Where to move the clock."""

    to: Instant


class AgreedTerms(TypedDict):
    """To be paid so many days after the issue (`net`), or after the end of its month (`end_of_month`)."""

    kind: Literal["net", "end_of_month"]
    days: int


class RefusedEvent(TypedDict):
    """An event that could not be taken: its place in the batch, the part that is wrong, and why."""

    position: int
    field: str
    reason: str
    """Why; kept in the audit record."""


class ApplyDiscount(TypedDict):
    """A coupon, or a promotion code of one."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["apply_discount"]
    coupon: NotRequired[str | None]
    """Code of the coupon."""
    promotion_code: NotRequired[str | None]


class Archiving(TypedDict):
    """Why an offer ends."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Attempt(TypedDict):
    """One try to deliver a message, with what the receiver answered."""

    started_at: str
    endpoint_id: str
    event_id: str
    attempt_no: int
    status_code: int | None
    error: str | None
    answer: str
    duration_ms: int


class AuditRecord(TypedDict):
    """Who (`actor`) did what (`action`) to which object, when, why, by which request; `position` in the chain."""

    id: str
    position: int
    occurred_at: str
    recorded_at: str
    actor: str
    action: str
    object_type: str
    object_id: str
    reason: str
    """Why; kept in the audit record."""
    request_id: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class BilledTopUps(TypedDict):
    """The documents that bill top-ups, by number."""

    invoices: list[str]


class PaymentTerms(TypedDict):
    """`days` after the issue (`net`), or after the end of its month (`end_of_month`)."""

    kind: str
    days: int


class Cancel(TypedDict):
    """The end. The next run credits what was paid beyond it."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["cancel"]
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    credit: NotRequired[Literal["none", "prorated", "full"]]


class EventRef(TypedDict):
    """An event that was taken."""

    source: str
    event_id: str


class CatalogPlan(TypedDict):
    """What a price book would change, or has changed: declarations and plans, each with what becomes of it."""

    price_book: str
    edition: int
    currency: str
    """ISO 4217, such as `EUR`."""
    tax_mode: str
    effective_at: str
    has_changes: bool
    declarations: list[dict[str, Any]]
    plans: list[dict[str, Any]]


class ChangePlan(TypedDict):
    """Another plan, or the newest edition of the one that is there."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["change_plan"]
    plan: str
    """Code of the plan."""
    by_policy: NotRequired[bool]
    """When, says the profile; `effective` is not looked at."""
    quantities: NotRequired[Mapping[str, Number]]
    """Units held, by code of the charge."""
    prices: NotRequired[Mapping[str, Number]]
    """Unit prices in place of the plan's, by code of the charge."""
    credit: NotRequired[Literal["none", "prorated", "full"]]
    add_on: NotRequired[str | None]


class Step(TypedDict):
    """Prices from an instant on; null: the plan's own again."""

    effective: Literal["now", "period_end"] | Instant
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    prices: Mapping[str, Number | None]
    """Unit prices in place of the plan's, by code of the charge."""


class ChangeQuantity(TypedDict):
    """Other units of seat charges."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["change_quantity"]
    quantities: Mapping[str, Number]
    """Units held, by code of the charge."""
    decrease: NotRequired[Literal["now", "renewal"]]
    """When fewer units take effect."""
    add_on: NotRequired[str | None]


class ChargeSoFar(TypedDict):
    """What one usage charge has come to in the period that runs; `trace` says how, for each dimension."""

    charge: str
    metric: str | None
    period_start: str
    period_end: str
    units: str
    cost: str
    billed: str
    trace: list[dict[str, Any]]


class Check(TypedDict):
    """Nothing more needs to be said."""


class Crossing(TypedDict):
    """An alert whose threshold has been reached in a period, and the value that was found."""

    id: str
    metric: str | None
    threshold: str
    value: str
    period_start: str


class Clock(TypedDict):
    """The time of the tenant; only a sandbox's can be moved."""

    now: str
    is_sandbox: bool
    """Whether it is for trying things out, with a clock of its own."""


class Commitment(TypedDict):
    """What was really used; the rest is free again. More than was held is drawn on what else is there."""

    amount: Number


class Difference(TypedDict):
    """One value that a step changes; `old` null: it was not there, `new` null: it is gone."""

    path: str
    old: str | None
    new: str | None


class ContractSubscription(TypedDict):
    """A subscription to be of the contract's customer, with all steps ahead; the newest version by default."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    external_id: str
    """Your own name for it, unique of its kind. It may stand wherever the id may."""
    contract_version: NotRequired[int | None]
    starts_at: NotRequired[Instant | None]


class ConvertTrial(TypedDict):
    """The trial ends, and goes over into the paid plan."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["convert_trial"]


class Correction(TypedDict):
    """Events in the form in which they are sent; each counts in the place of the one that has its source and id."""

    events: list[dict[str, Any]]
    source: NotRequired[str]
    reason: str
    """Why; kept in the audit record."""


class MinimumOrder(TypedDict):
    """What an order must come to before the discount."""

    amount: str
    currency: str
    """ISO 4217, such as `EUR`."""


class CreditDecision(TypedDict):
    """Why something is done."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class CreditOrder(TypedDict):
    """Credit to be sold. Without a `price` (net) it costs what it is worth when it pays; `lasts` counts from the
    grant.

    Without a `tax_category` it is taxed when it is used, not when it is sold.
    """

    amount: Number
    price: NotRequired[Number | None]
    tax_category: NotRequired[str | None]
    """The code on which tax rates hang."""
    priority: NotRequired[int]
    """0 burns first, 255 last."""
    features: NotRequired[list[str]]
    lasts: NotRequired[str | None]
    granted: NotRequired[Literal["when_paid", "at_once"]]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class CreditedLine(TypedDict):
    """What is given back of a line, in major units; its tax follows."""

    line: int
    amount: Number


class Used(TypedDict):
    """What was used, for one combination of the properties that were asked for; `units` null: nothing was
    measured.
    """

    dimensions: dict[str, str | None]
    units: str | None
    events: int


class Customer(TypedDict):
    """A party that documents are addressed to. Of one that is erased, what was personal is gone."""

    id: str
    external_id: str
    """Your own name for it, unique of its kind. It may stand wherever the id may."""
    name: str
    email: str | None
    address: str | None
    is_erased: bool
    country: str | None
    timezone: str
    """IANA name, such as `Europe/Berlin`."""
    tax_percent: str
    """One rate for all that the customer buys, where no tax rates are set."""
    metadata: dict[str, str]
    """Up to 50 texts by name that you keep with it. Nothing personal."""
    version: int
    """Counts its changes. Named in a change: refused when it is another by now."""
    created_at: str


class CustomerChange(TypedDict):
    """What is to be changed; what is left out stays. `version`: refused when it is another by now."""

    name: NotRequired[str | None]
    email: NotRequired[str | None]
    address: NotRequired[str | None]
    metadata: NotRequired[dict[str, str] | None]
    """Up to 50 texts by name that you keep with it. Nothing personal."""
    version: NotRequired[int | None]
    """Counts its changes. Named in a change: refused when it is another by now."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class TaxProfile(TypedDict):
    """What decides how a customer is taxed."""

    jurisdiction: str
    tax_id: str | None
    is_exempt: bool
    exemption_reason: str
    is_reverse_charge: bool


class Disabling(TypedDict):
    """Why somebody is let in no longer."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class DocumentRow(TypedDict):
    """A document in a list."""

    id: str
    number: str
    kind: str
    customer: str
    """Your name for the customer, or its id."""
    issued_at: str
    due_on: str | None
    status: str
    total: str
    due: str
    open: str
    currency: str
    """ISO 4217, such as `EUR`."""


DraftLine = TypedDict("DraftLine", {"description": str, "from": str, "to": str, "amount": str, "tax": str})


class EndOfOverride(TypedDict):
    """When an override ends; now where no instant is said."""

    at: NotRequired[Instant | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class EndTrial(TypedDict):
    """The trial ends, and the subscription with it."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["end_trial"]


class EndedTaxOverride(TypedDict):
    """An override that has an end."""

    id: str


class Endpoint(TypedDict):
    """Who is called about what; no `event_types` means all. `failing_since`: no try has succeeded since then."""

    id: str
    url: str
    description: str
    event_types: list[str]
    """Such as `invoice.finalised` or `invoice.*`; all where it is empty."""
    status: str
    disabled_because: str | None
    created_at: str
    failing_since: str | None
    delivered_at: str | None


class EndpointDecision(TypedDict):
    """Why something is done to an endpoint."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class EndpointReplay(TypedDict):
    """What to send again: one event, delivered or not, or all that the endpoint has not got since an instant."""

    event: NotRequired[str | None]
    since: NotRequired[Instant | None]
    with_delivered: NotRequired[bool]
    """With `since`: also what it has got."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class EndpointWithSecret(TypedDict):
    """A fresh endpoint with its secret, which is told this once."""

    id: str
    url: str
    description: str
    event_types: list[str]
    """Such as `invoice.finalised` or `invoice.*`; all where it is empty."""
    status: str
    disabled_because: str | None
    created_at: str
    failing_since: str | None
    delivered_at: str | None
    secret: str
    """Shown this once."""


class Entitlement(TypedDict):
    """What a customer may do with a feature and why; `limit` null: unlimited."""

    feature: str
    allowed: bool
    access: str
    limit: str | None
    reason: str
    """Why; kept in the audit record."""
    source: str


class Entry(TypedDict):
    """An entry of a subscription's journal; one that was taken back is not standing."""

    entry: int
    effective_at: str
    recorded_at: str
    change: str
    is_standing: bool
    actor: str
    reason: str
    """Why; kept in the audit record."""


class Erasure(TypedDict):
    """Why a customer is erased."""

    reason: str
    """Why; kept in the audit record."""


class Event(TypedDict):
    """Something that happened. `position` counts the tenant's events, `sequence` those of the object."""

    id: str
    type: str
    object: str
    object_id: str
    position: int
    sequence: int
    occurred_at: str
    data: dict[str, Any]


class ExtendTerm(TypedDict):
    """The term ends later: by a length, at an instant, or never (`forever`)."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["extend_term"]
    by: NotRequired[str | None]
    until: NotRequired[Instant | None]
    forever: NotRequired[bool]


class ExtendTrial(TypedDict):
    """The trial ends later."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["extend_trial"]
    until: Instant


class FillingDecision(TypedDict):
    """Why something is done."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Issued(TypedDict):
    """Number and total of a document that a call has issued."""

    number: str
    kind: str
    total: str
    currency: str
    """ISO 4217, such as `EUR`."""


class Finalising(TypedDict):
    """Why drafts are finalised early."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class IssuedKey(TypedDict):
    """A fresh API key with its text, `secret`, which is told this once."""

    id: str
    name: str
    mode: Literal["live", "test"]
    begins_with: str
    scopes: list[str]
    """What it may do: `area:read`, `area:write`."""
    status: Literal["live", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    rotates: str | None
    secret: str
    """Shown this once."""


class GivingBack(TypedDict):
    """How much of a use is taken back; all by default."""

    amount: NotRequired[Number | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Grant(TypedDict):
    """A deposit of credit and what is left of it; `cost` is what was paid for all of it, in the wallet's
    currency.
    """

    id: str
    amount: str
    remaining: str
    held: str
    cost: str
    paid_from: str
    category: str
    priority: int
    features: list[str]
    effective_at: str
    expires_at: str | None
    voided_at: str | None


class HealthyEndpoint(TypedDict):
    """An endpoint with the number of messages that wait for it, and of those that were given up."""

    id: str
    url: str
    description: str
    event_types: list[str]
    """Such as `invoice.finalised` or `invoice.*`; all where it is empty."""
    status: str
    disabled_because: str | None
    created_at: str
    failing_since: str | None
    delivered_at: str | None
    pending: int
    dead: int


class Key(TypedDict):
    """An API key, without its text."""

    id: str
    name: str
    mode: Literal["live", "test"]
    begins_with: str
    scopes: list[str]
    """What it may do: `area:read`, `area:write`."""
    status: Literal["live", "expired", "revoked"]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    rotates: str | None


class Phase(TypedDict):
    """A stretch of a subscription's life on one plan version and one set of terms; `end` null: open."""

    item: str
    plan: str
    """Code of the plan."""
    is_add_on: bool
    start: str
    end: str | None
    state: str
    is_billable: bool
    quantities: dict[str, str]
    """Units held, by code of the charge."""
    prices: dict[str, str]
    """Unit prices in place of the plan's, by code of the charge."""


class LateEvent(TypedDict):
    """An event that came after the cut-off of its period, and how it was treated."""

    source: str
    event_id: str
    customer: str
    """Your name for the customer, or its id."""
    metric: str
    occurred_at: str
    open_from: str
    value: str
    treatment: str
    recorded_at: str


class PaidBy(TypedDict):
    """What a wallet paid of a line, by its code, in its unit and in money; negative: was given back."""

    wallet: str
    unit: str
    credits: str
    amount: str


class Period(TypedDict):
    """A half-open span: the start belongs to it, the end does not."""

    start: str
    end: str


class TaxShare(TypedDict):
    """The part of one rate in the tax of a line."""

    name: str
    jurisdiction: str
    percent: str
    is_inclusive: bool
    is_charged: bool
    amount: str


class Message(TypedDict):
    """One event for one endpoint."""

    endpoint_id: str
    event_id: str
    type: str
    position: int
    status: str
    attempts: int
    next_attempt_at: str | None


class MetadataBody(TypedDict):
    """What is to be kept with a subscription, instead of what was."""

    metadata: dict[str, str]
    """Up to 50 texts by name that you keep with it. Nothing personal."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Rounding(TypedDict):
    """How a total is rounded; negative digits mean tens, hundreds …"""

    mode: str
    digits: int


class MoveAnchor(TypedDict):
    """Other billing dates: a day of the month, or the instant from which periods count."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["move_anchor"]
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    day: NotRequired[int | None]
    instant: NotRequired[Instant | None]
    add_on: NotRequired[str | None]


class MoveToContract(TypedDict):
    """A contract of the customer, or the amended version of the one that it is on; the newest by default."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["move_to_contract"]
    contract: str
    contract_version: NotRequired[int | None]


class Named(TypedDict):
    """A product or a feature."""

    code: str
    name: str


class NewAccess(TypedDict):
    """A state that a tenant may decide on, and what it is to leave."""

    status: Literal["past_due", "paused", "suspended"]
    access: Literal["full", "read_only", "none"]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewContract(TypedDict):
    """A contract, or the next version of one: the text of its file, in YAML or JSON (docs/price-books.md)."""

    source: str
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class OrderMinimum(TypedDict):
    """What an order must come to before the discount."""

    amount: Number
    currency: str
    """ISO 4217, such as `EUR`."""


class NewCredit(TypedDict):
    """What is given back beside all invoices; `clause` is that of the contract which was broken, for a penalty."""

    customer: str
    """Your name for the customer, or its id."""
    currency: str
    """ISO 4217, such as `EUR`."""
    amount: Number
    description: str
    subscription: NotRequired[str | None]
    """Your name for the subscription, or its id."""
    invoicing: NotRequired[Literal["now", "next_invoice"]]
    tax_category: NotRequired[str]
    """The code on which tax rates hang."""
    tax_inclusive: NotRequired[bool]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    clause: NotRequired[str]


class NewCreditGrant(TypedDict):
    """Credit to be put in. `cost` is what was paid for it in the wallet's currency, net of tax; 0: a gift."""

    amount: Number
    cost: NotRequired[Number]
    paid_from: NotRequired[Literal["cash", "invoice", "customer_credit"]]
    source: NotRequired[Literal["purchase", "promotion", "plan", "refund"] | None]
    priority: NotRequired[int]
    """0 burns first, 255 last."""
    features: NotRequired[list[str]]
    effective_at: NotRequired[Instant | None]
    expires_at: NotRequired[Instant | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewCustomer(TypedDict):
    """A customer to be."""

    external_id: str
    """Your own name for it, unique of its kind. It may stand wherever the id may."""
    name: NotRequired[str | None]
    email: NotRequired[str | None]
    address: NotRequired[str | None]
    country: NotRequired[str | None]
    """ISO 3166, such as `DE`."""
    timezone: NotRequired[str | None]
    """IANA name, such as `Europe/Berlin`."""
    tax_percent: NotRequired[Number]
    """One rate for all that the customer buys, where no tax rates are set."""
    metadata: NotRequired[dict[str, str]]
    """Up to 50 texts by name that you keep with it. Nothing personal."""


class NewCustomerThresholds(TypedDict):
    """The same for all subscriptions of a customer in a currency that have none of their own."""

    at: NotRequired[list[Number]]
    every: NotRequired[Number | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    currency: str
    """ISO 4217, such as `EUR`."""


class NewEndpoint(TypedDict):
    """An endpoint to be, https to a public address. Of `event_types` ('invoice.finalised', 'invoice.*') none is
    all.
    """

    url: str
    event_types: NotRequired[list[str]]
    """Such as `invoice.finalised` or `invoice.*`; all where it is empty."""
    description: NotRequired[str]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewEntitlement(TypedDict):
    """What is decided about a feature of a customer, whatever the plans say. Of several decisions the newest
    counts.
    """

    feature: str
    is_granted: NotRequired[bool]
    limit: NotRequired[Number | None]
    subscription: NotRequired[str | None]
    """Your name for the subscription, or its id."""
    starts_at: NotRequired[Instant | None]
    ends_at: NotRequired[Instant | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewKey(TypedDict):
    """A key to be. It can do no more than the key that asks for it, nor for longer."""

    name: str
    scopes: NotRequired[list[str]]
    """What it may do: `area:read`, `area:write`."""
    expires_at: NotRequired[Instant | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewPassword(TypedDict):
    """A password to sign in with."""

    password: str
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewPayment(TypedDict):
    """Money received. It pays `invoices` in their order, else what is open, oldest first; the rest becomes
    credit.
    """

    customer: str
    """Your name for the customer, or its id."""
    currency: str
    """ISO 4217, such as `EUR`."""
    amount: Number
    method: str
    reference: str
    received_at: NotRequired[Instant | None]
    invoices: NotRequired[list[str]]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewProformaLine(TypedDict):
    """What the preview names, in major units."""

    description: str
    amount: Number
    tax_category: NotRequired[str]
    """The code on which tax rates hang."""


class NewPromise(TypedDict):
    """Credit that comes again and again, `every` so long from `anchor` on (now by default).

    A grant lasts until the next one, and of what is left then `rollover_max` at most is kept, made up to
    `rollover_min`; or it `lasts` for a time of its own.
    """

    code: str
    amount: Number
    every: NotRequired[str]
    anchor: NotRequired[Instant | None]
    lasts: NotRequired[str | None]
    rollover_max: NotRequired[Number]
    rollover_min: NotRequired[Number]
    timezone: NotRequired[str]
    """IANA name, such as `Europe/Berlin`."""
    category: NotRequired[Literal["paid", "promotional"]]
    priority: NotRequired[int]
    """0 burns first, 255 last."""
    features: NotRequired[list[str]]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewRefundRequest(TypedDict):
    """How much of a customer's credit is to be sent back, in major units."""

    customer: str
    """Your name for the customer, or its id."""
    currency: str
    """ISO 4217, such as `EUR`."""
    amount: Number
    reason: str
    """Why; kept in the audit record."""


class NewReservation(TypedDict):
    """What is held until it is committed or released, or until `expires_at` if nobody does either."""

    amount: Number
    key: str
    feature: NotRequired[str | None]
    expires_at: Instant


class NewRole(TypedDict):
    """What somebody is to be there for."""

    role: Literal["owner", "admin", "finance", "support", "viewer"]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewRun(TypedDict):
    """As of when to bill; now by default. Only a sandbox can be billed ahead of its time."""

    as_of: NotRequired[Instant | None]


class NewSubscriptionBody(TypedDict):
    """A subscription to be. The edition of the plan that is sold when it is made is pinned."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    customer: str
    """Your name for the customer, or its id."""
    plan: str
    """Code of the plan."""
    external_id: str
    """Your own name for it, unique of its kind. It may stand wherever the id may."""
    starts_at: NotRequired[Instant | None]
    """Now by default; may be past or ahead."""
    ends_at: NotRequired[Instant | None]
    """The end of its term; without one it runs until it is cancelled."""
    notice_days: NotRequired[int]
    """How long before the end of a term one has to cancel."""
    renewal: NotRequired[str | None]
    """By how much a term is renewed at its end, such as `1 year`."""
    anchor_at: NotRequired[Instant | None]
    """From where periods are counted; the first billable instant by default."""
    timezone: NotRequired[str | None]
    """IANA name, such as `Europe/Berlin`."""
    profile: NotRequired[str | None]
    """Policy profile, such as `tenor` or `stripe-flexible`."""
    quantities: NotRequired[Mapping[str, Number]]
    """Units held, by code of the charge."""
    prices: NotRequired[Mapping[str, Number]]
    """Unit prices in place of the plan's, by code of the charge."""
    discount_percent: NotRequired[Number]
    """Off everything, for as long as it runs."""
    trial_days: NotRequired[int | None]
    """The plan's by default; 0 for none."""
    trial_converts: NotRequired[bool]
    """Whether the end of the trial begins what is paid, or ends the subscription."""
    metadata: NotRequired[dict[str, str]]
    """Up to 50 texts by name that you keep with it. Nothing personal."""


class OverridingRate(TypedDict):
    """A rate in percent that takes the place of others."""

    name: str
    percent: Number


class NewTaxRate(TypedDict):
    """A tax by name, in percent, from an instant on. What it meets ends there, and comes back after `valid_to`."""

    name: str
    percent: Number
    country: str
    """ISO 3166-1."""
    region: NotRequired[str]
    """Part of an ISO 3166-2 code, QC of CA-QC."""
    category: NotRequired[str]
    valid_from: Instant
    valid_to: NotRequired[Instant | None]


class NewTenant(TypedDict):
    """A tenant to be. A sandbox may be moved through time, from `clock_at` on; without that it follows the
    world.
    """

    slug: str
    name: NotRequired[str | None]
    is_sandbox: NotRequired[bool]
    """Whether it is for trying things out, with a clock of its own."""
    clock_at: NotRequired[Instant | None]
    timezone: NotRequired[str]
    """IANA name, such as `Europe/Berlin`."""
    profile: NotRequired[str]
    """Policy profile, such as `tenor` or `stripe-flexible`."""


class NewTopUpRule(TypedDict):
    """When a wallet is filled up by itself; not `is_active`: the bounds are kept, and nothing is ordered."""

    threshold: Number
    target: Number
    max_per_day: NotRequired[int]
    is_active: NotRequired[bool]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewUsageAlert(TypedDict):
    """When to tell: at units of `metric`, or without one at what usage costs so far. Say `at`, or `percent` of
    `of`.

    By default 100 percent of a metric are the units that its charge includes.
    """

    metric: NotRequired[str | None]
    at: NotRequired[Number | None]
    percent: NotRequired[Number | None]
    of: NotRequired[Number | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewUsageThresholds(TypedDict):
    """Amounts before tax, rising, at which usage is invoiced at once, and each `every` further so much. None:
    never.
    """

    at: NotRequired[list[Number]]
    every: NotRequired[Number | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewUse(TypedDict):
    """What is used, in the wallet's unit. `key` is your own name for it: the same one is used once, for ever."""

    amount: Number
    key: str
    feature: NotRequired[str | None]


class NewUser(TypedDict):
    """Somebody to be let in, who may do no more than who lets in. Without a `password` nobody can sign in yet."""

    email: str
    name: str
    role: Literal["owner", "admin", "finance", "support", "viewer"]
    password: NotRequired[str | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewWallet(TypedDict):
    """A wallet to be. It counts `unit` (its currency by default); one pays for `rate` of the currency."""

    code: NotRequired[str]
    currency: str
    """ISO 4217, such as `EUR`."""
    unit: NotRequired[str | None]
    rate: NotRequired[Number]
    overdraws: NotRequired[bool]
    """Uses go on when nothing is left."""
    pays: NotRequired[Literal["usage", "everything"]]
    """Of invoices, lines of usage alone, or all."""
    repays: NotRequired[bool]
    """A later grant pays first what was overdrawn."""
    profile: NotRequired[str]
    """Policy profile, such as `tenor` or `stripe-flexible`."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewWalletAlert(TypedDict):
    """Below which balance somebody is told."""

    threshold: Number
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class OneOff(TypedDict):
    """What is charged or credited, in major units; on a document now, or on the next one."""

    customer: str
    """Your name for the customer, or its id."""
    currency: str
    """ISO 4217, such as `EUR`."""
    amount: Number
    description: str
    subscription: NotRequired[str | None]
    """Your name for the subscription, or its id."""
    invoicing: NotRequired[Literal["now", "next_invoice"]]
    tax_category: NotRequired[str]
    """The code on which tax rates hang."""
    tax_inclusive: NotRequired[bool]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class User(TypedDict):
    """Somebody of the tenant; `locked_until` says how long nobody may sign in as this user after failed
    attempts.
    """

    id: str
    email: str
    name: str
    role: Literal["owner", "admin", "finance", "support", "viewer"]
    scopes: list[str]
    """What it may do: `area:read`, `area:write`."""
    has_password: bool
    locked_until: str | None
    created_at: str
    disabled_at: str | None


class OwnPassword(TypedDict):
    """The password by which somebody has signed in, and the one that is to take its place."""

    old_password: str
    password: str
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Paid(TypedDict):
    """What a payment has paid of one document."""

    document: str
    amount: str


class Parked(TypedDict):
    """A subscription that a rule refused to bill, and why: a person must look at it."""

    subscription: str
    """Your name for the subscription, or its id."""
    reason: str
    """Why; kept in the audit record."""


class Pause(TypedDict):
    """No service and no billing, until an instant, for some billing periods, or until it is resumed."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["pause"]
    until: NotRequired[Instant | None]
    cycles: NotRequired[int | None]
    unused_time: NotRequired[Literal["credit", "none", "extend"]]
    """What becomes of time that is paid ahead."""
    billing_date: NotRequired[Literal["keep", "restart", "shift"] | None]
    extend_term: NotRequired[bool]


class Plan(TypedDict):
    """A version of a plan, with its definition as the price book says it."""

    id: str
    plan: str
    """Code of the plan."""
    version: int
    """Counts its changes. Named in a change: refused when it is another by now."""
    name: str
    product: str
    price_book: str
    edition: int
    currency: str
    """ISO 4217, such as `EUR`."""
    tax_mode: str
    effective_at: str
    definition: dict[str, Any]


class PriceBookBody(TypedDict):
    """A price book: the text of its file, in YAML or JSON (docs/price-books.md)."""

    source: str


class ProfileChange(TypedDict):
    """How a customer is to be taxed, instead of by its plain percentage."""

    country: str
    """ISO 3166-1."""
    region: NotRequired[str]
    """Part of an ISO 3166-2 code, QC of CA-QC."""
    tax_id: NotRequired[str | None]
    exemption_reason: NotRequired[str | None]
    """Exempt from tax, with this reason."""
    is_reverse_charge: NotRequired[bool]
    """The customer owes the tax."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class ProformaLine(TypedDict):
    """A line of a proforma."""

    description: str
    amount: str
    tax: str


class Promise(TypedDict):
    """What is granted again and again; `next_at` null: no more grants are made."""

    code: str
    amount: str
    every: str
    rollover_min: str
    rollover_max: str
    lasts: str | None
    priority: int
    category: Literal["paid", "promotional"]
    features: list[str]
    next_at: str | None
    subscription_id: str | None


class Purchase(TypedDict):
    """Credit that was sold, and the document that bills it; `grant_id` null: it is granted when that is paid."""

    purchase_id: str
    invoice: str
    invoice_id: str
    credits: str
    due: str
    currency: str
    """ISO 4217, such as `EUR`."""
    status: str
    grant_id: str | None


class RefundRequest(TypedDict):
    """Money to be sent back; `credit_note` null: it was the customer's credit."""

    id: str
    customer: str
    """Your name for the customer, or its id."""
    amount: str
    currency: str
    """ISO 4217, such as `EUR`."""
    status: str
    credit_note: str | None


class Rejection(TypedDict):
    """An event that could not be taken, as it was sent, until a replay takes it."""

    id: str
    payload: str
    field: str
    reason: str
    """Why; kept in the audit record."""
    first_at: str
    last_at: str
    times: int
    settled_at: str | None


class Removal(TypedDict):
    """Why something is removed."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class RemoveAddOn(TypedDict):
    """The end of an add-on, which is named by its plan or its id."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["remove_add_on"]
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    add_on: str
    credit: NotRequired[Literal["none", "prorated", "full"]]


class RemoveDiscount(TypedDict):
    """The end of a discount, by the code of its coupon or its id. What it took off already stays so."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["remove_discount"]
    discount: str


class Removed(TypedDict):
    """What was removed."""

    id: str


class Renew(TypedDict):
    """Another term follows the one that is agreed; of its length where none is said."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["renew"]
    length: NotRequired[str | None]


class ReplacingRate(TypedDict):
    """A rate that takes the place of others."""

    name: str
    percent: str


class Replay(TypedDict):
    """Which rejected events to try again: those of these ids (`rej_…`), or all."""

    ids: NotRequired[list[str]]


class Replayed(TypedDict):
    """What a replay of rejected events came to."""

    accepted: int
    duplicates: int
    still_rejected: int


class Resume(TypedDict):
    """Service and billing go on, earlier or later than the pause was to end."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["resume"]
    billing_date: NotRequired[Literal["keep", "restart", "shift"] | None]
    extend_term: NotRequired[bool | None]


class Revocation(TypedDict):
    """Why a key is revoked."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Revoked(TypedDict):
    """A decision that says nothing any more."""

    id: str


class Revoking(TypedDict):
    """Why a decision is revoked."""

    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Rotation(TypedDict):
    """How long the old key may still be used."""

    overlap_hours: NotRequired[int]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class RunTotal(TypedDict):
    """The documents of one kind and currency that a run has issued."""

    kind: str
    currency: str
    """ISO 4217, such as `EUR`."""
    count: int
    total: str


class Secret(TypedDict):
    """A new secret, which is told this once. For 24 hours the one before signs as well."""

    secret: str
    """Shown this once."""


class SellerChange(TypedDict):
    """Where the tenant itself is to be taxed, and who is to say the rates: its `table`, or the tax `engine`."""

    country: str
    """ISO 3166-1."""
    tax_id: NotRequired[str | None]
    rates_from: NotRequired[Literal["table", "engine"]]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class SentAgain(TypedDict):
    """How many messages wait to be sent again."""

    messages: int


class SentRefund(TypedDict):
    """Under which name the bank has sent it."""

    reference: str
    """The bank's name for the payment."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Session(TypedDict):
    """A session that is open; `is_current` is the one that calls."""

    id: str
    created_at: str
    expires_at: str
    is_current: bool


class TaxRate(TypedDict):
    """A rate in percent with its validity; `jurisdiction` is a country ('DE') or a region of one ('CA-QC')."""

    name: str
    jurisdiction: str
    category: str
    percent: str
    valid_from: str
    valid_to: str | None


class SettledTopUp(TypedDict):
    """What became of a top-up: paid, it is granted; failed, another may be ordered."""

    top_up_id: str
    status: str
    grant_id: str | None


class ShortenTerm(TypedDict):
    """The term ends earlier."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["shorten_term"]
    until: Instant


class SigningIn(TypedDict):
    """Who wants to sign in, and to which tenant."""

    tenant: str
    """Slug."""
    email: str
    password: str


class SigningOut(TypedDict):
    """Nothing more needs to be said."""


class StatementEntry(TypedDict):
    """One thing that moved the balance, and what the balance then was."""

    at: str
    what: str
    number: str
    amount: str
    balance: str


Status = Literal[
    "created", "trialing", "active", "past_due", "paused", "expiring_soon", "expired", "cancelled", "suspended"
]
"""The nine states of a subscription."""


class TaxFile(TypedDict):
    """A file that says what holds; applied again, it changes nothing."""

    source: str


class TaxFileBody(TypedDict):
    """The text of a file: the seller and rates, in YAML or JSON (docs/taxes.md). Dates are of its zone."""

    source: str
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class TaxSeller(TypedDict):
    """Where the tenant itself is taxed, and who says the rates: its `table`, or the tax `engine`."""

    country: str
    tax_id: str | None
    rates_from: str


class Tenant(TypedDict):
    """A company that bills; `clock_at` is a sandbox's own time, null the wall clock."""

    id: str
    slug: str
    name: str
    is_sandbox: bool
    """Whether it is for trying things out, with a clock of its own."""
    clock_at: str | None
    timezone: str
    """IANA name, such as `Europe/Berlin`."""
    profile: str
    """Policy profile, such as `tenor` or `stripe-flexible`."""


class Tick(TypedDict):
    """Nothing more needs to be said."""


class Ticked(TypedDict):
    """What fell due: reservations whose time was over, grants that lapsed or were made, thresholds, top-ups
    ordered.
    """

    released: int
    lapsed: int
    renewed: int
    crossed: int
    top_ups_ordered: int


class TopUp(TypedDict):
    """One top-up that was ordered."""

    top_up_id: str
    amount: str
    price: str
    status: str
    grant_id: str | None
    is_invoiced: bool


class TopUpRule(TypedDict):
    """From less than `threshold` to `target`, so many times a day (UTC) at most."""

    threshold: str
    target: str
    max_per_day: int
    is_active: bool


class TopUpSettlement(TypedDict):
    """What became of the payment of a top-up."""

    is_paid: bool
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class Transfer(TypedDict):
    """One amount that debits one account and credits another; `source` is what caused it, `kind` which part of
    it.
    """

    id: str
    effective_at: str
    debit: str
    credit: str
    amount: str
    currency: str
    """ISO 4217, such as `EUR`."""
    customer_id: str
    source_type: str
    source: str
    kind: str


class TransferToCustomer(TypedDict):
    """Another customer goes on with it; the rest of the period here is credited."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    effective: NotRequired[Literal["now", "period_end"] | Instant]
    """When it takes effect: `now`, `period_end` or an instant, past or ahead."""
    kind: Literal["transfer"]
    customer: str
    """Your name for the customer, or its id."""
    external_id: str
    """Your own name for it, unique of its kind. It may stand wherever the id may."""
    anchor: NotRequired[Literal["keep", "restart"]]


class Undo(TypedDict):
    """An entry of the journal is taken back, also a cancellation; one that has taken effect only if it is said
    so.
    """

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["undo"]
    entry: int
    backdated: NotRequired[bool]


class UsageAlert(TypedDict):
    """Who is told of what: units of a metric, or (null) what all usage costs so far.

    `percent` of `base` is how the threshold was asked for; null where it is an absolute one.
    """

    id: str
    subscription_id: str
    metric: str | None
    threshold: str
    base: str | None
    percent: str | None
    added_at: str


class UsageThresholds(TypedDict):
    """Amounts at which usage is invoiced before its period is over: those of `at`, then `every` further so much."""

    subscription_id: str | None
    customer_id: str
    currency: str
    """ISO 4217, such as `EUR`."""
    at: list[str]
    every: str | None


class Use(TypedDict):
    """A use or a reservation: what was asked for, what is used, and what of it no grant has covered."""

    id: str
    wallet_id: str
    key: str
    feature: str | None
    status: str
    asked: str
    used: str
    uncovered: str
    made_at: str
    expires_at: str | None


class Voided(TypedDict):
    """What was taken out of a grant, in the wallet's unit."""

    voided: str


class Voiding(TypedDict):
    """Why a document is taken back whole. `rebill`: the next bill run bills anew what is owed."""

    reason: str
    """Why; kept in the audit record."""
    rebill: NotRequired[bool]


class Wallet(TypedDict):
    """A wallet and what it has: free to use, held by reservations, and used ahead of any grant."""

    id: str
    customer_id: str
    code: str
    unit: str
    currency: str
    """ISO 4217, such as `EUR`."""
    rate: str
    overdraws: bool
    pays: Literal["usage", "everything"]
    available: str
    held: str
    advanced: str


class WalletAlert(TypedDict):
    """A threshold of which somebody is told, and whether the wallet is below it."""

    threshold: str
    is_below: bool


class WalletEntry(TypedDict):
    """One movement in a wallet; `value` is the part of the grant's cost that moved with it."""

    entry_no: int
    at: str
    kind: str
    amount: str
    grant_id: str | None
    use_id: str | None
    value: str


class WritingOff(TypedDict):
    """Why what is open is given up as lost."""

    reason: str
    """Why; kept in the audit record."""


class TrialBalance(TypedDict):
    """All accounts; `difference` is debits less credits by currency, which is zero."""

    accounts: list[Account]
    difference: dict[str, str]


class BillingChange(TypedDict):
    """What is to be set; what is left out stays."""

    payment_terms: NotRequired[AgreedTerms | None]
    po_number: NotRequired[str | None]
    """Purchase order, printed on documents."""
    consolidates: NotRequired[bool | None]
    """All subscriptions on one document."""
    negative_total: NotRequired[Literal["balance", "refund"] | None]
    """What becomes of the total of a credit note."""
    grace_days: NotRequired[int | None]
    invoices_top_ups: NotRequired[bool | None]
    """What a wallet orders for itself is invoiced as it is ordered."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class AmendedUsage(TypedDict):
    """What became of corrections or cancellations, by their positions."""

    amended: list[int]
    unchanged: list[int]
    rejected: list[RefusedEvent]


class UsageReceipt(TypedDict):
    """What became of a batch. Positions count from 0; every event is in exactly one of the four.

    A duplicate was taken before with the same content, a conflict with another one, which stays.
    """

    accepted: int
    duplicates: list[int]
    conflicts: list[int]
    rejected: list[RefusedEvent]


class BillingSettings(TypedDict):
    """How a customer is billed; a document is a draft for `grace_days` before it has its number.

    `invoices_top_ups`: what a wallet orders for itself is invoiced as it is ordered.
    """

    payment_terms: PaymentTerms
    po_number: str
    """Purchase order, printed on documents."""
    consolidates: bool
    negative_total: str
    grace_days: int
    invoices_top_ups: bool


class Cancellation(TypedDict):
    """Events that are no longer to count; they stay on record."""

    events: list[EventRef]
    reason: str
    """Why; kept in the audit record."""


class ChangePrices(TypedDict):
    """Other unit prices, at once or as a ramp of steps."""

    invoice: NotRequired[bool]
    """Invoice at once what the change comes to."""
    quote: NotRequired[str | None]
    """The quote of this very change: it costs what was quoted."""
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    version: NotRequired[int | None]
    """Refused when it is another by now."""
    kind: Literal["change_prices"]
    steps: list[Step]
    add_on: NotRequired[str | None]


class CostSoFar(TypedDict):
    """What usage of a subscription costs so far, before tax; `billed` of it stands on documents already."""

    subscription: str
    """Your name for the subscription, or its id."""
    through: str
    currency: str
    """ISO 4217, such as `EUR`."""
    charges: list[ChargeSoFar]
    cost: str
    billed: str


class CheckedAlerts(TypedDict):
    """The alerts that were told now."""

    told: list[Crossing]


class SetUsageAlert(TypedDict):
    """An alert that was set; `told` is what it has told of at once."""

    id: str
    subscription_id: str
    metric: str | None
    threshold: str
    base: str | None
    percent: str | None
    added_at: str
    told: list[Crossing]


class ContractStep(TypedDict):
    """From its start on a private plan version holds; the first step begins with the subscription."""

    step: int
    after_months: int | None
    starts_at: str | None
    plan_version_id: str
    differences: NotRequired[list[Difference]]


class Coupon(TypedDict):
    """An offer: a percentage or an amount off, for a while, on the lines inside its scope; empty scopes take
    all.
    """

    max_redemptions: int | None
    redeem_by: str | None
    minimum_order: MinimumOrder | None
    is_first_purchase_only: bool
    redeemed: int
    id: str
    code: str
    name: str
    percent_off: str | None
    amount_off: str | None
    currency: str | None
    """ISO 4217, such as `EUR`."""
    duration: str
    periods: int | None
    plans: list[str]
    products: list[str]
    charges: list[str]
    metrics: list[str]
    max_per_customer: int | None
    archived_at: str | None


class ListedCoupon(TypedDict):
    """A coupon with the words that redeem it."""

    max_redemptions: int | None
    redeem_by: str | None
    minimum_order: MinimumOrder | None
    is_first_purchase_only: bool
    redeemed: int
    id: str
    code: str
    name: str
    percent_off: str | None
    amount_off: str | None
    currency: str | None
    """ISO 4217, such as `EUR`."""
    duration: str
    periods: int | None
    plans: list[str]
    products: list[str]
    charges: list[str]
    metrics: list[str]
    max_per_customer: int | None
    archived_at: str | None
    promotion_codes: list[str]


class PromotionCode(TypedDict):
    """A word that redeems a coupon, with limits of its own; `customer` null: for everybody who knows it."""

    max_redemptions: int | None
    redeem_by: str | None
    minimum_order: MinimumOrder | None
    is_first_purchase_only: bool
    redeemed: int
    id: str
    code: str
    coupon: str
    """Code of the coupon."""
    customer: str | None
    """Your name for the customer, or its id."""


class NewCreditNote(TypedDict):
    """What is given back: lines, an amount spread over all of them, or (neither) all that is left."""

    lines: NotRequired[list[CreditedLine] | None]
    amount: NotRequired[Number | None]
    settles: NotRequired[Literal["balance", "refund"] | None]
    """As the customer's settings say by default."""
    reason: str
    """Why; kept in the audit record."""


class CurrentUsage(TypedDict):
    """What a customer has used of a metric; the start belongs to it, the end does not."""

    since: str
    until: str
    usage: list[Used]


class CustomerTax(TypedDict):
    """How a customer is taxed; `profile` null: by the plain percentage of the customer."""

    customer: str
    """Your name for the customer, or its id."""
    profile: TaxProfile | None
    """Policy profile, such as `tenor` or `stripe-flexible`."""


class Draft(TypedDict):
    """A document that is not issued."""

    kind: str
    currency: str
    """ISO 4217, such as `EUR`."""
    net: str
    tax: str
    total: str
    prepaid: str
    due: str
    due_on: str | None
    lines: list[DraftLine]


class Override(TypedDict):
    """A decision about a feature, and what the customer may do now."""

    id: str
    entitlement: Entitlement


class Finalised(TypedDict):
    """What was issued."""

    documents: list[Issued]


class FurnishedTenant(TypedDict):
    """A fresh tenant with its first API key, which may do everything."""

    id: str
    slug: str
    name: str
    is_sandbox: bool
    """Whether it is for trying things out, with a clock of its own."""
    clock_at: str | None
    timezone: str
    """IANA name, such as `Europe/Berlin`."""
    profile: str
    """Policy profile, such as `tenor` or `stripe-flexible`."""
    key: IssuedKey


class KnownSubscription(TypedDict):
    """A subscription with what you keep with it, and what was asked to be told along."""

    id: str
    external_id: str
    """Your own name for it, unique of its kind. It may stand wherever the id may."""
    customer_id: str
    status: str
    version: int
    """Counts its changes. Named in a change: refused when it is another by now."""
    currency: str
    """ISO 4217, such as `EUR`."""
    starts_at: str
    trial_ends_at: str | None
    ends_at: str | None
    cancels_at_end: bool
    metadata: dict[str, str]
    """Up to 50 texts by name that you keep with it. Nothing personal."""
    customer: NotRequired[Customer]
    """Your name for the customer, or its id."""
    timeline: NotRequired[list[Phase]]
    documents: NotRequired[list[Issued]]


class Line(TypedDict):
    """A line as issued; `explanation` is its derivation, one step each, where it was asked for."""

    description: str
    charge: str
    subscription: str | None
    """Your name for the subscription, or its id."""
    period: Period
    amount: str
    tax: str
    taxes: list[TaxShare]
    paid_by: list[PaidBy]
    explanation: NotRequired[list[str]]


class Metric(TypedDict):
    """What is measured: the aggregation of one number of the events with this code, a field or an expression."""

    code: str
    name: str
    aggregation: str
    field: str | None
    expression: str | None
    unit: str
    recurring: bool
    prorated: bool
    rounding: Rounding | None


class NewCoupon(TypedDict):
    """An offer to be: `percent_off`, or `amount_off` in major units of `currency`. Its terms never change."""

    max_redemptions: NotRequired[int | None]
    redeem_by: NotRequired[Instant | None]
    minimum_order: NotRequired[OrderMinimum | None]
    is_first_purchase_only: NotRequired[bool]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    code: str
    name: NotRequired[str | None]
    """On documents; the code where none is given."""
    percent_off: NotRequired[Number | None]
    amount_off: NotRequired[Number | None]
    currency: NotRequired[str | None]
    """ISO 4217, such as `EUR`."""
    duration: NotRequired[Literal["once", "repeating", "forever"]]
    periods: NotRequired[int | None]
    """Of a repeating discount."""
    plans: NotRequired[list[str]]
    products: NotRequired[list[str]]
    charges: NotRequired[list[str]]
    metrics: NotRequired[list[str]]
    max_per_customer: NotRequired[int | None]


class NewPromotionCode(TypedDict):
    """A word that redeems a coupon, with limits beside the coupon's; for one customer where it names one."""

    max_redemptions: NotRequired[int | None]
    redeem_by: NotRequired[Instant | None]
    minimum_order: NotRequired[OrderMinimum | None]
    is_first_purchase_only: NotRequired[bool]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""
    code: str
    coupon: str
    """Code of the coupon."""
    customer: NotRequired[str | None]
    """Your name for the customer, or its id."""


class NewProforma(TypedDict):
    """A preview to be, for one customer, in one currency."""

    customer: str
    """Your name for the customer, or its id."""
    currency: str
    """ISO 4217, such as `EUR`."""
    lines: list[NewProformaLine]
    subscription: NotRequired[str | None]
    """Your name for the subscription, or its id."""
    tax_inclusive: NotRequired[bool]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewTaxOverride(TypedDict):
    """Rates that are to replace all others of a customer; none at all: no tax."""

    rates: NotRequired[list[OverridingRate]]
    audit_reference: str
    """The proof: number of a ruling, a certificate, a ticket."""
    valid_from: Instant
    valid_to: NotRequired[Instant | None]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class NewTaxRates(TypedDict):
    """Rates that are to hold, in this order."""

    rates: list[NewTaxRate]
    reason: NotRequired[str | None]
    """Why; kept in the audit record."""


class OpenedSession(TypedDict):
    """A fresh session with its text, `secret`, which is told this once: a credential like an API key, until it
    ends.
    """

    id: str
    user: User
    secret: str
    """Shown this once."""
    expires_at: str


class Receipt(TypedDict):
    """A payment, what it has paid, and what of it went to the customer's credit."""

    id: str
    receipt: str
    amount: str
    currency: str
    """ISO 4217, such as `EUR`."""
    paid: list[Paid]
    to_credit: str


class Proforma(TypedDict):
    """A numbered preview of an invoice; nothing is owed by it."""

    id: str
    number: str
    customer: str
    """Your name for the customer, or its id."""
    currency: str
    """ISO 4217, such as `EUR`."""
    issued_at: str
    due_on: str | None
    po_number: str
    """Purchase order, printed on documents."""
    net: str
    tax: str
    total: str
    lines: list[ProformaLine]


class TaxOverride(TypedDict):
    """Rates that replace all others of a customer; without rates: no tax at all."""

    id: str
    customer: str
    """Your name for the customer, or its id."""
    rates: list[ReplacingRate]
    audit_reference: str
    valid_from: str
    valid_to: str | None


class Run(TypedDict):
    """A bill run and how far it is; `status` is running or finished."""

    id: str
    status: Literal["running", "finished"]
    as_of: str
    started_at: str
    finished_at: str | None
    subscriptions: int
    done: int
    parked: int
    documents: list[RunTotal]


class RunReport(TypedDict):
    """What a call has done of a run; `is_resumed`: it finished one that had been interrupted.

    `default_taxes`: questions that the table of rates answered because the tax engine failed, `tax_failures`
    as said.
    """

    run: str
    as_of: str
    is_resumed: bool
    subscriptions: int
    parked: int
    lines: int
    documents: list[RunTotal]
    default_taxes: int
    tax_failures: list[str]
    seconds: str


class SetTaxRates(TypedDict):
    """The rates that were not there already."""

    rates: list[TaxRate]


class Statement(TypedDict):
    """A customer's movements in one currency. A positive balance is owed by the customer, a negative one to it."""

    currency: str
    """ISO 4217, such as `EUR`."""
    opening: str
    closing: str
    entries: list[StatementEntry]


class TaxFileChanges(TypedDict):
    """The seller after a file, and the rates of it that were not there already."""

    seller: TaxSeller | None
    rates: list[TaxRate]


class TopUps(TypedDict):
    """When a wallet is filled up by itself (null: nobody has said), and what was ordered, the newest first."""

    rule: TopUpRule | None
    top_ups: list[TopUp]


class Contract(TypedDict):
    """One version of what is agreed with one customer apart from the price books."""

    id: str
    contract: str
    version: int
    """Counts its changes. Named in a change: refused when it is another by now."""
    customer_id: str
    plan: str
    """Code of the plan."""
    name: str
    payment_terms: PaymentTerms | None
    po_number: str | None
    """Purchase order, printed on documents."""
    term_months: int | None
    agreed_at: str
    agreed_by: str
    reason: str
    """Why; kept in the audit record."""
    steps: list[ContractStep]


class Quote(TypedDict):
    """What a change would issue at a frozen instant; `quote` is the text by which it is accepted within a day."""

    as_of: str
    quote: str
    documents: list[Draft]


class Document(TypedDict):
    """An issued document. It never changes; what was paid, credited and written off since stands beside."""

    id: str
    number: str
    kind: str
    customer: str
    """Your name for the customer, or its id."""
    customer_id: str
    subscription: str | None
    """Your name for the subscription, or its id."""
    subscriptions: list[str]
    plan: str | None
    """Code of the plan."""
    plan_version: int | None
    currency: str
    """ISO 4217, such as `EUR`."""
    issued_at: str
    due_on: str | None
    po_number: str
    """Purchase order, printed on documents."""
    status: NotRequired[str]
    net: str
    tax: str
    tax_note: str
    total: str
    prepaid: str
    credit_applied: str
    due: str
    paid: str
    credited: str
    written_off: str
    open: str
    credits: str | None
    credited_by: list[str]
    settles: str | None
    lines: list[Line]


class Advanced(TypedDict):
    """Where the clock stands, and what was billed on the way; `is_there` false: call again to go on."""

    now: str
    is_sandbox: bool
    """Whether it is for trying things out, with a clock of its own."""
    is_there: bool
    runs: list[RunReport]
