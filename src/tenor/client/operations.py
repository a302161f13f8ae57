"""Every operation of the API as a method. Written by `make docs` from the OpenAPI document. Do not edit."""

from collections.abc import Sequence
from typing import Any, Final, Literal, Unpack, cast, overload

from tenor.client import forms
from tenor.client.connection import Connection
from tenor.client.resource import Feed, Pages, Resource, in_path
from tenor.client.written import Instant

API_VERSION: Final = "2026-11-20"
"""The dated version of the API that this is for."""


class ApiKeys(Resource):
    """API keys."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewKey]) -> forms.IssuedKey:
        """Create a key. `secret` is told this once, and to repetitions of this very call for 24 hours."""
        return cast("forms.IssuedKey", self._connection.post("/v1/api-keys", body, idempotency_key=idempotency_key))

    def list(self, *, limit: int | None = None, after: str | None = None) -> Pages[forms.Key]:
        """List keys, the newest first, without their texts."""
        return Pages(self._connection, "/v1/api-keys", {"limit": limit, "after": after})

    def retrieve(self, key: str, /) -> forms.Key:
        """Return a key, without its text."""
        return cast("forms.Key", self._connection.get(f"/v1/api-keys/{in_path(key)}"))

    def revoke(self, key: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Revocation]) -> forms.Key:
        """End a key at once. Repeatable."""
        return cast(
            "forms.Key",
            self._connection.post(f"/v1/api-keys/{in_path(key)}/revoke", body, idempotency_key=idempotency_key),
        )

    def rotate(
        self, key: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Rotation]
    ) -> forms.IssuedKey:
        """Put a new key in the place of another one, which ends a while later. A key that expires cannot ask for it."""
        return cast(
            "forms.IssuedKey",
            self._connection.post(f"/v1/api-keys/{in_path(key)}/rotate", body, idempotency_key=idempotency_key),
        )


class AuditRecords(Resource):
    """Audit records."""

    def list(
        self, *, limit: int | None = None, after: str | None = None, object: str | None = None
    ) -> Pages[forms.AuditRecord]:
        """List the records of the audit trail in the order of its chain, the oldest first."""
        return Pages(self._connection, "/v1/audit-records", {"limit": limit, "after": after, "object": object})


class BillRuns(Resource):
    """Bill runs."""

    def start(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewRun]) -> forms.Run:
        """Start a bill run, or find the one that is not finished. Repeat it at will: nothing is billed twice."""
        return cast("forms.Run", self._connection.post("/v1/bill-runs", body, idempotency_key=idempotency_key))

    def list(self, *, limit: int | None = None, after: str | None = None) -> Pages[forms.Run]:
        """List bill runs, the newest first."""
        return Pages(self._connection, "/v1/bill-runs", {"limit": limit, "after": after})

    def retrieve(self, run: str, /) -> forms.Run:
        """Return how far a bill run is."""
        return cast("forms.Run", self._connection.get(f"/v1/bill-runs/{in_path(run)}"))

    def list_parked(self, run: str, /) -> Pages[forms.Parked]:
        """List what a bill run has parked."""
        return Pages(self._connection, f"/v1/bill-runs/{in_path(run)}/parked", {})


class BillingSettings(Resource):
    """Billing settings."""

    def retrieve_default(self) -> forms.BillingSettings:
        """Return how a customer without settings of its own is billed."""
        return cast("forms.BillingSettings", self._connection.get("/v1/billing-settings"))

    def update_default(
        self, *, idempotency_key: str | None = None, **body: Unpack[forms.BillingChange]
    ) -> forms.BillingSettings:
        """Set how customers without settings of their own are billed. Documents keep what they were issued with."""
        return cast(
            "forms.BillingSettings",
            self._connection.post("/v1/billing-settings", body, idempotency_key=idempotency_key),
        )

    def retrieve(self, customer: str, /) -> forms.BillingSettings:
        """Return how a customer is billed: by its own settings, then by those of all."""
        return cast(
            "forms.BillingSettings", self._connection.get(f"/v1/customers/{in_path(customer)}/billing-settings")
        )

    def update(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.BillingChange]
    ) -> forms.BillingSettings:
        """Set how a customer is billed. Documents keep what they were issued with."""
        return cast(
            "forms.BillingSettings",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/billing-settings", body, idempotency_key=idempotency_key
            ),
        )


class Catalog(Resource):
    """Catalog."""

    def list_products(self) -> Pages[forms.Named]:
        """List all products."""
        return Pages(self._connection, "/v1/products", {})

    def list_metrics(self) -> Pages[forms.Metric]:
        """List all metrics."""
        return Pages(self._connection, "/v1/metrics", {})

    def list_features(self) -> Pages[forms.Named]:
        """List all features."""
        return Pages(self._connection, "/v1/features", {})

    def list_plans(self) -> Pages[forms.Plan]:
        """List the plans that are sold now, each in the version that a new subscription pins."""
        return Pages(self._connection, "/v1/plans", {})

    def retrieve_plan(self, plan: str, /) -> forms.Plan:
        """Return the version of a plan that is sold now."""
        return cast("forms.Plan", self._connection.get(f"/v1/plans/{in_path(plan)}"))

    def plan(self, *, idempotency_key: str | None = None, **body: Unpack[forms.PriceBookBody]) -> forms.CatalogPlan:
        """Tell what a price book would change: new versions, and who keeps an old one. Changes nothing."""
        return cast(
            "forms.CatalogPlan", self._connection.post("/v1/price-books/plan", body, idempotency_key=idempotency_key)
        )

    def apply(self, *, idempotency_key: str | None = None, **body: Unpack[forms.PriceBookBody]) -> forms.CatalogPlan:
        """Make a price book the newest edition. Plans that changed get a new version; subscriptions keep theirs."""
        return cast(
            "forms.CatalogPlan", self._connection.post("/v1/price-books/apply", body, idempotency_key=idempotency_key)
        )


class Charges(Resource):
    """Charges."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.OneOff]) -> forms.Adjustment:
        """Charge a customer once, beside all plans."""
        return cast("forms.Adjustment", self._connection.post("/v1/charges", body, idempotency_key=idempotency_key))


class Clock(Resource):
    """Clock."""

    def retrieve(self) -> forms.Clock:
        """Return the time of the tenant."""
        return cast("forms.Clock", self._connection.get("/v1/clock"))

    def advance(self, *, idempotency_key: str | None = None, **body: Unpack[forms.Advance]) -> forms.Advanced:
        """Move a sandbox through time: whatever falls due on the way happens in its order, each at its own instant.

        What has been done stays done where the call is broken off; called again it goes on from there.
        """
        return cast("forms.Advanced", self._connection.post("/v1/clock/advance", body, idempotency_key=idempotency_key))


class Contracts(Resource):
    """Contracts."""

    def agree(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewContract]
    ) -> forms.Contract:
        """Agree what a file says: a new contract, or the next version of one. The newest again changes nothing."""
        return cast(
            "forms.Contract",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/contracts", body, idempotency_key=idempotency_key
            ),
        )

    def list(
        self, *, limit: int | None = None, after: str | None = None, customer: str | None = None
    ) -> Pages[forms.Contract]:
        """List the contracts in every version, by code, the newest version first."""
        return Pages(self._connection, "/v1/contracts", {"limit": limit, "after": after, "customer": customer})

    def retrieve(self, contract: str, /, *, version: int | None = None) -> forms.Contract:
        """Return a contract, with what each of its steps changes."""
        return cast("forms.Contract", self._connection.get(f"/v1/contracts/{in_path(contract)}", {"version": version}))

    def subscribe(
        self, contract: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ContractSubscription]
    ) -> forms.KnownSubscription:
        """Subscribe the customer of a contract to it, with all its steps ahead."""
        return cast(
            "forms.KnownSubscription",
            self._connection.post(
                f"/v1/contracts/{in_path(contract)}/subscriptions", body, idempotency_key=idempotency_key
            ),
        )

    def quote(
        self, contract: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ContractSubscription]
    ) -> forms.Quote:
        """Tell what a subscription to a contract would cost now. Create it with `quote`, and it costs exactly that."""
        return cast(
            "forms.Quote",
            self._connection.post(f"/v1/contracts/{in_path(contract)}/quotes", body, idempotency_key=idempotency_key),
        )


class Coupons(Resource):
    """Coupons."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewCoupon]) -> forms.Coupon:
        """Offer a coupon. The same one again changes nothing."""
        return cast("forms.Coupon", self._connection.post("/v1/coupons", body, idempotency_key=idempotency_key))

    def list(self, *, limit: int | None = None, after: str | None = None) -> Pages[forms.ListedCoupon]:
        """List the coupons with what is left of them and the words that redeem them, by code."""
        return Pages(self._connection, "/v1/coupons", {"limit": limit, "after": after})

    def retrieve(self, coupon: str, /) -> forms.ListedCoupon:
        """Return a coupon with what is left of it and the words that redeem it."""
        return cast("forms.ListedCoupon", self._connection.get(f"/v1/coupons/{in_path(coupon)}"))

    def archive(
        self, coupon: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Archiving]
    ) -> forms.Coupon:
        """End an offer, also through its promotion codes; discounts that were granted go on. Repeatable."""
        return cast(
            "forms.Coupon",
            self._connection.post(f"/v1/coupons/{in_path(coupon)}/archive", body, idempotency_key=idempotency_key),
        )

    def create_promotion_code(
        self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewPromotionCode]
    ) -> forms.PromotionCode:
        """Give a coupon a word by which customers redeem it; capitals and small letters are the same."""
        return cast(
            "forms.PromotionCode", self._connection.post("/v1/promotion-codes", body, idempotency_key=idempotency_key)
        )


class Credits(Resource):
    """Credits."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewCredit]) -> forms.Adjustment:
        """Give a customer something back, beside all invoices. To give back a part of one, credit that one."""
        return cast("forms.Adjustment", self._connection.post("/v1/credits", body, idempotency_key=idempotency_key))


class Customers(Resource):
    """Customers."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewCustomer]) -> forms.Customer:
        """Create a customer. Its time zone is the tenant's where none is given."""
        return cast("forms.Customer", self._connection.post("/v1/customers", body, idempotency_key=idempotency_key))

    def list(
        self, *, limit: int | None = None, after: str | None = None, external_id: str | None = None
    ) -> Pages[forms.Customer]:
        """List customers, the newest first."""
        return Pages(self._connection, "/v1/customers", {"limit": limit, "after": after, "external_id": external_id})

    def retrieve(self, customer: str, /) -> forms.Customer:
        """Return a customer."""
        return cast("forms.Customer", self._connection.get(f"/v1/customers/{in_path(customer)}"))

    def update(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.CustomerChange]
    ) -> forms.Customer:
        """Change what a customer is called and what you keep with it."""
        return cast(
            "forms.Customer",
            self._connection.post(f"/v1/customers/{in_path(customer)}", body, idempotency_key=idempotency_key),
        )

    def erase(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Erasure]
    ) -> forms.Customer:
        """Destroy what is personal of a customer, for good; what is about money stays. Repeatable."""
        return cast(
            "forms.Customer",
            self._connection.post(f"/v1/customers/{in_path(customer)}/erase", body, idempotency_key=idempotency_key),
        )


class Entitlements(Resource):
    """Entitlements."""

    def list(self, customer: str, /, *, at: Instant | None = None) -> Pages[forms.Entitlement]:
        """List every feature that a plan, an add-on or a decision names for a customer."""
        return Pages(self._connection, f"/v1/customers/{in_path(customer)}/entitlements", {"at": at})

    def override(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewEntitlement]
    ) -> forms.Override:
        """Grant a feature to a customer, or deny it, whatever the plans say."""
        return cast(
            "forms.Override",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/entitlements", body, idempotency_key=idempotency_key
            ),
        )

    def check(self, customer: str, feature: str, /, *, at: Instant | None = None) -> forms.Entitlement:
        """Say what a customer may do with a feature, and why."""
        return cast(
            "forms.Entitlement",
            self._connection.get(f"/v1/customers/{in_path(customer)}/entitlements/{in_path(feature)}", {"at": at}),
        )

    def retrieve_access(self) -> forms.Access:
        """Return what each state of a subscription leaves of its features."""
        return cast("forms.Access", self._connection.get("/v1/entitlement-access"))

    def set_access(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewAccess]) -> forms.Access:
        """Set what a state leaves of the features, for all customers."""
        return cast(
            "forms.Access", self._connection.post("/v1/entitlement-access", body, idempotency_key=idempotency_key)
        )

    def revoke_override(
        self, override: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Revoking]
    ) -> forms.Revoked:
        """Let a decision say nothing from now on; an earlier one that still holds counts again."""
        return cast(
            "forms.Revoked",
            self._connection.post(
                f"/v1/entitlement-overrides/{in_path(override)}/revoke", body, idempotency_key=idempotency_key
            ),
        )


class Events(Resource):
    """Events."""

    def list(
        self,
        *,
        after: int | None = None,
        limit: int | None = None,
        type: Sequence[str] | None = None,
        object: str | None = None,
    ) -> Feed[forms.Event]:
        """Return events in their order. A position that was read never gets a neighbour before it later.

        `data` of events of API keys, users and webhook endpoints is empty for callers who may not see those.
        """
        return Feed(self._connection, "/v1/events", {"after": after, "limit": limit, "type": type, "object": object})

    def retrieve(self, event: str, /) -> forms.Event:
        """Return an event."""
        return cast("forms.Event", self._connection.get(f"/v1/events/{in_path(event)}"))


class Invoices(Resource):
    """Invoices."""

    def list(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        customer: str | None = None,
        open: bool | None = None,
    ) -> Pages[forms.DocumentRow]:
        """List documents, the newest first."""
        return Pages(
            self._connection, "/v1/invoices", {"limit": limit, "after": after, "customer": customer, "open": open}
        )

    def retrieve(self, invoice: str, /, *, explain: bool | None = None) -> forms.Document:
        """Return a document as it was issued, with what became of it since."""
        return cast("forms.Document", self._connection.get(f"/v1/invoices/{in_path(invoice)}", {"explain": explain}))

    def void(
        self, invoice: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Voiding]
    ) -> forms.Document:
        """Take a document back whole, by a credit note, which is the answer; the number is kept."""
        return cast(
            "forms.Document",
            self._connection.post(f"/v1/invoices/{in_path(invoice)}/void", body, idempotency_key=idempotency_key),
        )

    def create_credit_note(
        self, invoice: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewCreditNote]
    ) -> forms.Document:
        """Give back lines, an amount, or all that is left of an invoice, with its tax. It is not billed again."""
        return cast(
            "forms.Document",
            self._connection.post(
                f"/v1/invoices/{in_path(invoice)}/credit-notes", body, idempotency_key=idempotency_key
            ),
        )

    def write_off(
        self, invoice: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.WritingOff]
    ) -> forms.Document:
        """Give up what is open of a document as lost. A later payment takes it back."""
        return cast(
            "forms.Document",
            self._connection.post(f"/v1/invoices/{in_path(invoice)}/write-off", body, idempotency_key=idempotency_key),
        )

    def finalise_drafts(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Finalising]
    ) -> forms.Finalised:
        """Issue the drafts of a subscription now, also those that grace still keeps open."""
        return cast(
            "forms.Finalised",
            self._connection.post(
                f"/v1/subscriptions/{in_path(subscription)}/drafts/finalise", body, idempotency_key=idempotency_key
            ),
        )

    def list_drafts(self, subscription: str, /) -> Pages[forms.Draft]:
        """Return the documents of a subscription that would be issued now, with those that grace keeps open."""
        return Pages(self._connection, f"/v1/subscriptions/{in_path(subscription)}/drafts", {})


class Ledger(Resource):
    """Ledger."""

    def retrieve_trial_balance(self) -> forms.TrialBalance:
        """Return every account with both its sides, and the difference, which is zero."""
        return cast("forms.TrialBalance", self._connection.get("/v1/ledger/trial-balance"))

    def list_accounts(self) -> Pages[forms.Account]:
        """List the accounts, one per code and currency."""
        return Pages(self._connection, "/v1/ledger/accounts", {})

    def list_transfers(
        self, *, limit: int | None = None, after: str | None = None, invoice: str | None = None
    ) -> Pages[forms.Transfer]:
        """List transfers, the newest first."""
        return Pages(self._connection, "/v1/ledger/transfers", {"limit": limit, "after": after, "invoice": invoice})


class Payments(Resource):
    """Payments."""

    def record(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewPayment]) -> forms.Receipt:
        """Record money received. `reference` is unique for each payment."""
        return cast("forms.Receipt", self._connection.post("/v1/payments", body, idempotency_key=idempotency_key))


class Proformas(Resource):
    """Proformas."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewProforma]) -> forms.Proforma:
        """Make a numbered preview of an invoice. Nothing is booked or owed by it."""
        return cast("forms.Proforma", self._connection.post("/v1/proformas", body, idempotency_key=idempotency_key))

    def list(
        self, *, limit: int | None = None, after: str | None = None, customer: str | None = None
    ) -> Pages[forms.Proforma]:
        """List proformas as they were made, the newest first."""
        return Pages(self._connection, "/v1/proformas", {"limit": limit, "after": after, "customer": customer})

    def retrieve(self, proforma: str, /) -> forms.Proforma:
        """Return a proforma as it was made."""
        return cast("forms.Proforma", self._connection.get(f"/v1/proformas/{in_path(proforma)}"))


class RefundRequests(Resource):
    """Refund requests."""

    def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewRefundRequest]
    ) -> forms.RefundRequest:
        """Ask for a customer's credit to be sent back. It is credit no longer."""
        return cast(
            "forms.RefundRequest", self._connection.post("/v1/refund-requests", body, idempotency_key=idempotency_key)
        )

    def list(
        self, *, limit: int | None = None, after: str | None = None, customer: str | None = None
    ) -> Pages[forms.RefundRequest]:
        """List what is to be sent back, and what was; the newest first. Credit notes ask for refunds too."""
        return Pages(self._connection, "/v1/refund-requests", {"limit": limit, "after": after, "customer": customer})

    def retrieve(self, refund: str, /) -> forms.RefundRequest:
        """Return a request."""
        return cast("forms.RefundRequest", self._connection.get(f"/v1/refund-requests/{in_path(refund)}"))

    def mark_sent(
        self, refund: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.SentRefund]
    ) -> forms.RefundRequest:
        """Tell that a refund has been sent; telling it again changes nothing."""
        return cast(
            "forms.RefundRequest",
            self._connection.post(f"/v1/refund-requests/{in_path(refund)}/sent", body, idempotency_key=idempotency_key),
        )


class Sessions(Resource):
    """Sessions."""

    def create(self, **body: Unpack[forms.SigningIn]) -> forms.OpenedSession:
        """Sign in: open a session, whose text is a credential with the rights of the user's role.

        A wrong password, an unknown tenant or user, and one who is disabled or locked get the same answer. Five
        failures lock a user for a quarter of an hour. It takes no idempotency key: repeated, it opens another
        session.
        """
        return cast("forms.OpenedSession", self._connection.post("/v1/sessions", body, idempotency_key=None))

    def list(self, *, limit: int | None = None, after: str | None = None) -> Pages[forms.Session]:
        """List where the user of the session that calls is signed in, the newest first."""
        return Pages(self._connection, "/v1/sessions", {"limit": limit, "after": after})

    def retrieve_current(self) -> forms.User:
        """Return whose session calls."""
        return cast("forms.User", self._connection.get("/v1/sessions/current"))

    def end_current(self, *, idempotency_key: str | None = None, **body: Unpack[forms.SigningOut]) -> forms.User:
        """Sign out: end the session that calls."""
        return cast(
            "forms.User", self._connection.post("/v1/sessions/current/end", body, idempotency_key=idempotency_key)
        )

    def set_password(self, *, idempotency_key: str | None = None, **body: Unpack[forms.OwnPassword]) -> forms.User:
        """Set a new password, by the old one; all sessions of the user but the one that calls end.

        A wrong old password counts as a failed attempt to sign in.
        """
        return cast(
            "forms.User", self._connection.post("/v1/sessions/current/password", body, idempotency_key=idempotency_key)
        )

    def end(
        self, session: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.SigningOut]
    ) -> forms.User:
        """Sign out elsewhere: end another session of the user who calls. Repeatable."""
        return cast(
            "forms.User",
            self._connection.post(f"/v1/sessions/{in_path(session)}/end", body, idempotency_key=idempotency_key),
        )


class Statements(Resource):
    """Statements."""

    def list(
        self, customer: str, /, *, since: Instant | None = None, until: Instant | None = None
    ) -> Pages[forms.Statement]:
        """List a customer's statements, one for each currency."""
        return Pages(
            self._connection, f"/v1/customers/{in_path(customer)}/statements", {"since": since, "until": until}
        )


class Subscriptions(Resource):
    """Subscriptions."""

    def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewSubscriptionBody]
    ) -> forms.KnownSubscription:
        """Subscribe a customer to a plan."""
        return cast(
            "forms.KnownSubscription", self._connection.post("/v1/subscriptions", body, idempotency_key=idempotency_key)
        )

    def list(
        self,
        *,
        limit: int | None = None,
        after: str | None = None,
        customer: str | None = None,
        status: forms.Status | None = None,
        external_id: str | None = None,
    ) -> Pages[forms.KnownSubscription]:
        """List subscriptions, the newest first."""
        return Pages(
            self._connection,
            "/v1/subscriptions",
            {"limit": limit, "after": after, "customer": customer, "status": status, "external_id": external_id},
        )

    def quote_new(
        self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewSubscriptionBody]
    ) -> forms.Quote:
        """Tell what a new subscription would cost now. Create it with `quote`, and it costs exactly that."""
        return cast("forms.Quote", self._connection.post("/v1/quotes", body, idempotency_key=idempotency_key))

    def retrieve(
        self, subscription: str, /, *, expand: Sequence[Literal["customer", "timeline"]] | None = None
    ) -> forms.KnownSubscription:
        """Return how a subscription stands."""
        return cast(
            "forms.KnownSubscription",
            self._connection.get(f"/v1/subscriptions/{in_path(subscription)}", {"expand": expand}),
        )

    def update_metadata(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.MetadataBody]
    ) -> forms.KnownSubscription:
        """Replace what you keep with a subscription."""
        return cast(
            "forms.KnownSubscription",
            self._connection.post(
                f"/v1/subscriptions/{in_path(subscription)}/metadata", body, idempotency_key=idempotency_key
            ),
        )

    def list_changes(self, subscription: str, /, *, ahead: bool | None = None) -> Pages[forms.Entry]:
        """List the changes of a subscription; those that were taken back too, unless only what is ahead is asked
        for.
        """
        return Pages(self._connection, f"/v1/subscriptions/{in_path(subscription)}/changes", {"ahead": ahead})

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ChangePlan]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ChangeQuantity]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ChangePrices]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.AddAddOn]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.RemoveAddOn]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.MoveToContract]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ApplyDiscount]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.RemoveDiscount]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Pause]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Resume]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Cancel]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Undo]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Renew]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ExtendTerm]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ShortenTerm]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.MoveAnchor]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.TransferToCustomer]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ExtendTrial]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ConvertTrial]
    ) -> forms.KnownSubscription: ...

    @overload
    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.EndTrial]
    ) -> forms.KnownSubscription: ...

    def change(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Any
    ) -> forms.KnownSubscription:
        """Change a subscription; `kind` says how. By `quote` it costs what was quoted, with `invoice` it is billed
        now.
        """
        return cast(
            "forms.KnownSubscription",
            self._connection.post(
                f"/v1/subscriptions/{in_path(subscription)}/changes", body, idempotency_key=idempotency_key
            ),
        )

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ChangePlan]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ChangeQuantity]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ChangePrices]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.AddAddOn]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.RemoveAddOn]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.MoveToContract]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ApplyDiscount]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.RemoveDiscount]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Pause]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Resume]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Cancel]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Undo]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Renew]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ExtendTerm]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ShortenTerm]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.MoveAnchor]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.TransferToCustomer]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ExtendTrial]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ConvertTrial]
    ) -> forms.Quote: ...

    @overload
    def quote(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.EndTrial]
    ) -> forms.Quote: ...

    def quote(self, subscription: str, /, *, idempotency_key: str | None = None, **body: Any) -> forms.Quote:
        """Tell what a change would cost now, without making it."""
        return cast(
            "forms.Quote",
            self._connection.post(
                f"/v1/subscriptions/{in_path(subscription)}/quotes", body, idempotency_key=idempotency_key
            ),
        )


class TaxFiles(Resource):
    """Tax files."""

    def retrieve_current(self) -> forms.TaxFile:
        """Return what holds as a file: the seller, and every rate with its validity."""
        return cast("forms.TaxFile", self._connection.get("/v1/tax-files/current"))

    def plan(self, *, idempotency_key: str | None = None, **body: Unpack[forms.TaxFileBody]) -> forms.TaxFileChanges:
        """Tell what a file would change. Changes nothing."""
        return cast(
            "forms.TaxFileChanges", self._connection.post("/v1/tax-files/plan", body, idempotency_key=idempotency_key)
        )

    def apply(self, *, idempotency_key: str | None = None, **body: Unpack[forms.TaxFileBody]) -> forms.TaxFileChanges:
        """Set the seller and the rates that a file gives; rates that it does not name stay. Again, it changes
        nothing.
        """
        return cast(
            "forms.TaxFileChanges", self._connection.post("/v1/tax-files/apply", body, idempotency_key=idempotency_key)
        )


class Taxes(Resource):
    """Taxes."""

    def list_rates(self, *, limit: int | None = None, after: str | None = None) -> Pages[forms.TaxRate]:
        """List every rate with its validity, by place, category and name."""
        return Pages(self._connection, "/v1/tax-rates", {"limit": limit, "after": after})

    def set_rates(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewTaxRates]) -> forms.SetTaxRates:
        """Let rates hold in their spans; the answer lists those that were not there already."""
        return cast("forms.SetTaxRates", self._connection.post("/v1/tax-rates", body, idempotency_key=idempotency_key))

    def retrieve_seller(self) -> forms.TaxSeller:
        """Return where the tenant itself is taxed; 404 while it has not said."""
        return cast("forms.TaxSeller", self._connection.get("/v1/tax-seller"))

    def set_seller(self, *, idempotency_key: str | None = None, **body: Unpack[forms.SellerChange]) -> forms.TaxSeller:
        """Say where the tenant itself is taxed, and who says the rates."""
        return cast("forms.TaxSeller", self._connection.post("/v1/tax-seller", body, idempotency_key=idempotency_key))

    def retrieve_profile(self, customer: str, /) -> forms.CustomerTax:
        """Return how a customer is taxed."""
        return cast("forms.CustomerTax", self._connection.get(f"/v1/customers/{in_path(customer)}/tax-profile"))

    def set_profile(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.ProfileChange]
    ) -> forms.CustomerTax:
        """Say how a customer is taxed. What is billed stays as billed."""
        return cast(
            "forms.CustomerTax",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/tax-profile", body, idempotency_key=idempotency_key
            ),
        )

    def override(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewTaxOverride]
    ) -> forms.TaxOverride:
        """Let rates replace all others of a customer. Of several that hold at once the newest counts."""
        return cast(
            "forms.TaxOverride",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/tax-overrides", body, idempotency_key=idempotency_key
            ),
        )

    def list_overrides(
        self, customer: str, /, *, limit: int | None = None, after: str | None = None
    ) -> Pages[forms.TaxOverride]:
        """List the overrides of a customer with their validity, the newest first."""
        return Pages(
            self._connection, f"/v1/customers/{in_path(customer)}/tax-overrides", {"limit": limit, "after": after}
        )

    def end_override(
        self, tax_override: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.EndOfOverride]
    ) -> forms.EndedTaxOverride:
        """End an override; documents that it was used for stay as they are."""
        return cast(
            "forms.EndedTaxOverride",
            self._connection.post(
                f"/v1/tax-overrides/{in_path(tax_override)}/end", body, idempotency_key=idempotency_key
            ),
        )


class Tenants(Resource):
    """Tenants."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewTenant]) -> forms.FurnishedTenant:
        """Create a tenant with its first API key, whose text is told this once, and to repetitions of this very
        call.
        """
        return cast(
            "forms.FurnishedTenant", self._connection.post("/v1/tenants", body, idempotency_key=idempotency_key)
        )

    def list(self) -> Pages[forms.Tenant]:
        """List every tenant, by slug."""
        return Pages(self._connection, "/v1/tenants", {})

    def retrieve(self, tenant: str, /) -> forms.Tenant:
        """Return a tenant."""
        return cast("forms.Tenant", self._connection.get(f"/v1/tenants/{in_path(tenant)}"))


class Usage(Resource):
    """Usage."""

    def send(self, body: dict[str, Any] | list[Any], /, *, source: str | None = None) -> forms.UsageReceipt:
        """Bring usage events in: flat or CloudEvents 1.0, one or a list. Safe to repeat, also without a key.

        Each event is answered for: taken, known already, in conflict with what was taken under its id, or
        rejected. One that is bad keeps no other from being taken; it is put by, and can be replayed.

        A flat event has `event_id`, `customer`, `metric` and `occurred_at`, and perhaps `source`, `subscription`,
        `value`, `properties`; any other member is a property too.
        """
        return cast(
            "forms.UsageReceipt",
            self._connection.post("/v1/usage/events", body, {"source": source}, idempotency_key=None),
        )

    def cancel(self, *, idempotency_key: str | None = None, **body: Unpack[forms.Cancellation]) -> forms.AmendedUsage:
        """Cancel events: they stay on record and no longer count. What was billed is put right by the next run."""
        return cast(
            "forms.AmendedUsage",
            self._connection.post("/v1/usage/cancellations", body, idempotency_key=idempotency_key),
        )

    def correct(self, *, idempotency_key: str | None = None, **body: Unpack[forms.Correction]) -> forms.AmendedUsage:
        """Correct events: what was taken stays on record, and what is sent now counts in its place."""
        return cast(
            "forms.AmendedUsage", self._connection.post("/v1/usage/corrections", body, idempotency_key=idempotency_key)
        )

    def retrieve(
        self,
        *,
        customer: str,
        metric: str,
        since: Instant | None = None,
        until: Instant | None = None,
        by: Sequence[str] | None = None,
    ) -> forms.CurrentUsage:
        """Return what a customer has used of a metric so far."""
        return cast(
            "forms.CurrentUsage",
            self._connection.get(
                "/v1/usage", {"customer": customer, "metric": metric, "since": since, "until": until, "by": by}
            ),
        )

    def list_rejections(self, *, limit: int | None = None, settled: bool | None = None) -> Pages[forms.Rejection]:
        """List events that could not be taken, the oldest first, with the reason and what was sent."""
        return Pages(self._connection, "/v1/usage/rejections", {"limit": limit, "settled": settled})

    def replay_rejections(self, *, idempotency_key: str | None = None, **body: Unpack[forms.Replay]) -> forms.Replayed:
        """Try again to take events that could not be taken, once what was wrong is put right."""
        return cast(
            "forms.Replayed",
            self._connection.post("/v1/usage/rejections/replay", body, idempotency_key=idempotency_key),
        )

    def retrieve_cost(self, subscription: str, /, *, at: Instant | None = None) -> forms.CostSoFar:
        """Return what a subscription has used in the periods that run, and what that costs so far, before tax."""
        return cast(
            "forms.CostSoFar", self._connection.get(f"/v1/subscriptions/{in_path(subscription)}/usage", {"at": at})
        )

    def list_alerts(self, subscription: str, /) -> Pages[forms.UsageAlert]:
        """List the usage alerts of a subscription."""
        return Pages(self._connection, f"/v1/subscriptions/{in_path(subscription)}/usage-alerts", {})

    def create_alert(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewUsageAlert]
    ) -> forms.SetUsageAlert:
        """Tell, by the event `usage_alert.reached`, once in each period when usage reaches something."""
        return cast(
            "forms.SetUsageAlert",
            self._connection.post(
                f"/v1/subscriptions/{in_path(subscription)}/usage-alerts", body, idempotency_key=idempotency_key
            ),
        )

    def tell_of_alerts(self, *, idempotency_key: str | None = None, **body: Unpack[forms.Check]) -> forms.CheckedAlerts:
        """Look at all alerts now, and tell of those that are reached: usage that comes in does so by itself."""
        return cast(
            "forms.CheckedAlerts",
            self._connection.post("/v1/usage-alerts/check", body, idempotency_key=idempotency_key),
        )

    def remove_alert(
        self, usage_alert: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Removal]
    ) -> forms.Removed:
        """Tell no more of an alert. Repeatable."""
        return cast(
            "forms.Removed",
            self._connection.post(
                f"/v1/usage-alerts/{in_path(usage_alert)}/remove", body, idempotency_key=idempotency_key
            ),
        )

    def set_thresholds(
        self, subscription: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewUsageThresholds]
    ) -> forms.UsageThresholds:
        """Set at which amounts the usage of a subscription is invoiced before its period ends, whatever the plan
        says.
        """
        return cast(
            "forms.UsageThresholds",
            self._connection.post(
                f"/v1/subscriptions/{in_path(subscription)}/usage-thresholds", body, idempotency_key=idempotency_key
            ),
        )

    def set_customer_thresholds(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewCustomerThresholds]
    ) -> forms.UsageThresholds:
        """Set the same for all subscriptions of a customer in a currency; a subscription's own go before."""
        return cast(
            "forms.UsageThresholds",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/usage-thresholds", body, idempotency_key=idempotency_key
            ),
        )

    def list_late(self, *, since: Instant | None = None, limit: int | None = None) -> Pages[forms.LateEvent]:
        """List events that came after the cut-off of their period, the latest first, and how each is treated."""
        return Pages(self._connection, "/v1/usage/late", {"since": since, "limit": limit})


class Users(Resource):
    """Users."""

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewUser]) -> forms.User:
        """Let somebody in."""
        return cast("forms.User", self._connection.post("/v1/users", body, idempotency_key=idempotency_key))

    def list(self) -> Pages[forms.User]:
        """List all users, by email."""
        return Pages(self._connection, "/v1/users", {})

    def retrieve(self, user: str, /) -> forms.User:
        """Return a user."""
        return cast("forms.User", self._connection.get(f"/v1/users/{in_path(user)}"))

    def set_role(
        self, user: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewRole]
    ) -> forms.User:
        """Change what somebody may do; it holds from the next call of every session."""
        return cast(
            "forms.User",
            self._connection.post(f"/v1/users/{in_path(user)}/role", body, idempotency_key=idempotency_key),
        )

    def set_password(
        self, user: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewPassword]
    ) -> forms.User:
        """Set a new password; all sessions of the user end."""
        return cast(
            "forms.User",
            self._connection.post(f"/v1/users/{in_path(user)}/password", body, idempotency_key=idempotency_key),
        )

    def disable(
        self, user: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Disabling]
    ) -> forms.User:
        """Let somebody in no longer; all sessions of the user end. Repeatable."""
        return cast(
            "forms.User",
            self._connection.post(f"/v1/users/{in_path(user)}/disable", body, idempotency_key=idempotency_key),
        )


class Wallets(Resource):
    """Wallets."""

    def list(self, customer: str, /) -> Pages[forms.Wallet]:
        """List the wallets of a customer with what they have now."""
        return Pages(self._connection, f"/v1/customers/{in_path(customer)}/wallets", {})

    def create(
        self, customer: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewWallet]
    ) -> forms.Wallet:
        """Open a wallet. Its terms never change."""
        return cast(
            "forms.Wallet",
            self._connection.post(f"/v1/customers/{in_path(customer)}/wallets", body, idempotency_key=idempotency_key),
        )

    def retrieve(self, customer: str, wallet: str, /) -> forms.Wallet:
        """Return a wallet with what it has now."""
        return cast(
            "forms.Wallet", self._connection.get(f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}")
        )

    def list_grants(self, customer: str, wallet: str, /, *, all: bool | None = None) -> Pages[forms.Grant]:
        """List the grants of a wallet in the order in which they burn."""
        return Pages(
            self._connection, f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/grants", {"all": all}
        )

    def grant(
        self, customer: str, wallet: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewCreditGrant]
    ) -> forms.Grant:
        """Put credit into a wallet."""
        return cast(
            "forms.Grant",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/grants",
                body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_entries(
        self, customer: str, wallet: str, /, *, after: int | None = None, limit: int | None = None
    ) -> Pages[forms.WalletEntry]:
        """List what happened in a wallet, entry by entry."""
        return Pages(
            self._connection,
            f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/entries",
            {"after": after, "limit": limit},
        )

    def use(
        self, customer: str, wallet: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewUse]
    ) -> forms.Use:
        """Use credit."""
        return cast(
            "forms.Use",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/uses",
                body,
                idempotency_key=idempotency_key,
            ),
        )

    def reserve(
        self, customer: str, wallet: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewReservation]
    ) -> forms.Use:
        """Hold credit for a use whose size is known later; nothing else can use it meanwhile."""
        return cast(
            "forms.Use",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/reservations",
                body,
                idempotency_key=idempotency_key,
            ),
        )

    def commit(self, use: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.Commitment]) -> forms.Use:
        """Use what is held."""
        return cast(
            "forms.Use",
            self._connection.post(f"/v1/wallet-uses/{in_path(use)}/commit", body, idempotency_key=idempotency_key),
        )

    def release(
        self, use: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.CreditDecision]
    ) -> forms.Use:
        """Give free what is held, exactly to the grants that it was held of."""
        return cast(
            "forms.Use",
            self._connection.post(f"/v1/wallet-uses/{in_path(use)}/release", body, idempotency_key=idempotency_key),
        )

    def give_back(
        self, use: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.GivingBack]
    ) -> forms.Use:
        """Take a use back, or part of it: its grants have that again, what was drawn last first."""
        return cast(
            "forms.Use",
            self._connection.post(f"/v1/wallet-uses/{in_path(use)}/give-back", body, idempotency_key=idempotency_key),
        )

    def void_grant(
        self, grant: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.CreditDecision]
    ) -> forms.Voided:
        """Take out what is left of a grant; what was used stays used."""
        return cast(
            "forms.Voided",
            self._connection.post(f"/v1/credit-grants/{in_path(grant)}/void", body, idempotency_key=idempotency_key),
        )

    def buy(
        self, customer: str, wallet: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.CreditOrder]
    ) -> forms.Purchase:
        """Sell prepaid credit: invoice it, and grant it when the invoice is paid, or at once."""
        return cast(
            "forms.Purchase",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/purchases",
                body,
                idempotency_key=idempotency_key,
            ),
        )

    def list_alerts(self, customer: str, wallet: str, /) -> Pages[forms.WalletAlert]:
        """List below which balances somebody is told."""
        return Pages(self._connection, f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/alerts", {})

    def create_alert(
        self, customer: str, wallet: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewWalletAlert]
    ) -> forms.WalletAlert:
        """Tell, by the event `wallet.low`, when less than this is left, once for each crossing."""
        return cast(
            "forms.WalletAlert",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/alerts",
                body,
                idempotency_key=idempotency_key,
            ),
        )

    def retrieve_top_ups(self, customer: str, wallet: str, /) -> forms.TopUps:
        """Return when a wallet is filled up by itself, and what was ordered for it: the newest hundred."""
        return cast(
            "forms.TopUps", self._connection.get(f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/top-ups")
        )

    def set_top_up_rule(
        self, customer: str, wallet: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewTopUpRule]
    ) -> forms.TopUpRule:
        """Say when a wallet is filled up by itself, in place of what was said before."""
        return cast(
            "forms.TopUpRule",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/top-up-rule",
                body,
                idempotency_key=idempotency_key,
            ),
        )

    def tick(self, *, idempotency_key: str | None = None, **body: Unpack[forms.Tick]) -> forms.Ticked:
        """Do what is due in all wallets; a bill run does it too, before it bills, and so does `tenor work`.

        Promises are kept, reservations end, grants lapse and are renewed, crossings are told, top-ups ordered.
        """
        return cast("forms.Ticked", self._connection.post("/v1/wallets/tick", body, idempotency_key=idempotency_key))

    def bill_top_ups(
        self, *, idempotency_key: str | None = None, **body: Unpack[forms.FillingDecision]
    ) -> forms.BilledTopUps:
        """Invoice every top-up that was ordered and is not billed yet; each is granted when its invoice is paid."""
        return cast(
            "forms.BilledTopUps", self._connection.post("/v1/top-ups/bill", body, idempotency_key=idempotency_key)
        )

    def settle_top_up(
        self, top_up: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.TopUpSettlement]
    ) -> forms.SettledTopUp:
        """Say that a top-up was paid in cash, so that it is granted, or has failed. One that is invoiced settles
        itself.
        """
        return cast(
            "forms.SettledTopUp",
            self._connection.post(f"/v1/top-ups/{in_path(top_up)}/settle", body, idempotency_key=idempotency_key),
        )

    def list_promises(self, customer: str, wallet: str, /) -> Pages[forms.Promise]:
        """List what is promised in a wallet, by plans and otherwise."""
        return Pages(self._connection, f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/promises", {})

    def promise(
        self, customer: str, wallet: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.NewPromise]
    ) -> forms.Promise:
        """Promise credit that comes again and again; what is due is granted at once."""
        return cast(
            "forms.Promise",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/promises",
                body,
                idempotency_key=idempotency_key,
            ),
        )

    def stop_promise(
        self,
        customer: str,
        wallet: str,
        promise: str,
        /,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[forms.FillingDecision],
    ) -> forms.Promise:
        """Make no more grants of a promise; what was granted stays until it expires."""
        return cast(
            "forms.Promise",
            self._connection.post(
                f"/v1/customers/{in_path(customer)}/wallets/{in_path(wallet)}/promises/{in_path(promise)}/stop",
                body,
                idempotency_key=idempotency_key,
            ),
        )


class WebhookEndpoints(Resource):
    """Webhook endpoints."""

    def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[forms.NewEndpoint]
    ) -> forms.EndpointWithSecret:
        """Have events sent to a URL from now on. `secret` is told this once, and to repetitions of this very call."""
        return cast(
            "forms.EndpointWithSecret",
            self._connection.post("/v1/webhook-endpoints", body, idempotency_key=idempotency_key),
        )

    def list(self) -> Pages[forms.HealthyEndpoint]:
        """List the endpoints with their health, the oldest first."""
        return Pages(self._connection, "/v1/webhook-endpoints", {})

    def retrieve(self, endpoint: str, /) -> forms.HealthyEndpoint:
        """Return an endpoint with its health."""
        return cast("forms.HealthyEndpoint", self._connection.get(f"/v1/webhook-endpoints/{in_path(endpoint)}"))

    def list_messages(
        self,
        endpoint: str,
        /,
        *,
        status: Literal["pending", "delivered", "dead"] | None = None,
        after: int | None = None,
        limit: int | None = None,
    ) -> Pages[forms.Message]:
        """List the messages of an endpoint: those given up, those that wait, those delivered."""
        return Pages(
            self._connection,
            f"/v1/webhook-endpoints/{in_path(endpoint)}/messages",
            {"status": status, "after": after, "limit": limit},
        )

    def list_attempts(self, endpoint: str, /, *, limit: int | None = None) -> Pages[forms.Attempt]:
        """List the newest tries of an endpoint, with what the receiver answered."""
        return Pages(self._connection, f"/v1/webhook-endpoints/{in_path(endpoint)}/attempts", {"limit": limit})

    def rotate_secret(
        self, endpoint: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.EndpointDecision]
    ) -> forms.Secret:
        """Make a new secret."""
        return cast(
            "forms.Secret",
            self._connection.post(
                f"/v1/webhook-endpoints/{in_path(endpoint)}/rotate", body, idempotency_key=idempotency_key
            ),
        )

    def disable(
        self, endpoint: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.EndpointDecision]
    ) -> forms.Endpoint:
        """Send nothing more to an endpoint. What waits for it is kept."""
        return cast(
            "forms.Endpoint",
            self._connection.post(
                f"/v1/webhook-endpoints/{in_path(endpoint)}/disable", body, idempotency_key=idempotency_key
            ),
        )

    def enable(
        self, endpoint: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.EndpointDecision]
    ) -> forms.Endpoint:
        """Send to an endpoint again. What happened while it was disabled has to be replayed."""
        return cast(
            "forms.Endpoint",
            self._connection.post(
                f"/v1/webhook-endpoints/{in_path(endpoint)}/enable", body, idempotency_key=idempotency_key
            ),
        )

    def replay(
        self, endpoint: str, /, *, idempotency_key: str | None = None, **body: Unpack[forms.EndpointReplay]
    ) -> forms.SentAgain:
        """Send again: one event, or all since an instant. Receivers know repetitions by their `webhook-id`."""
        return cast(
            "forms.SentAgain",
            self._connection.post(
                f"/v1/webhook-endpoints/{in_path(endpoint)}/replay", body, idempotency_key=idempotency_key
            ),
        )


class Operations:
    """All operations, by resource."""

    def __init__(self, connection: Connection) -> None:
        self.api_keys = ApiKeys(connection)
        self.audit_records = AuditRecords(connection)
        self.bill_runs = BillRuns(connection)
        self.billing_settings = BillingSettings(connection)
        self.catalog = Catalog(connection)
        self.charges = Charges(connection)
        self.clock = Clock(connection)
        self.contracts = Contracts(connection)
        self.coupons = Coupons(connection)
        self.credits = Credits(connection)
        self.customers = Customers(connection)
        self.entitlements = Entitlements(connection)
        self.events = Events(connection)
        self.invoices = Invoices(connection)
        self.ledger = Ledger(connection)
        self.payments = Payments(connection)
        self.proformas = Proformas(connection)
        self.refund_requests = RefundRequests(connection)
        self.sessions = Sessions(connection)
        self.statements = Statements(connection)
        self.subscriptions = Subscriptions(connection)
        self.tax_files = TaxFiles(connection)
        self.taxes = Taxes(connection)
        self.tenants = Tenants(connection)
        self.usage = Usage(connection)
        self.users = Users(connection)
        self.wallets = Wallets(connection)
        self.webhook_endpoints = WebhookEndpoints(connection)
