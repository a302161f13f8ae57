"""Sell a customer prepaid credit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Literal

from tenor.invoicing.adjusting import TEXT_LENGTH_MAX, require_text
from tenor.invoicing.purchases import BilledPurchase, purchases_of
from tenor.invoicing.request_keys import made_before, remember
from tenor.invoicing.selling import OUT_OF_SCOPE, Sale, issue_sales
from tenor.kernel.calendar import Interval
from tenor.kernel.errors import Malformed
from tenor.kernel.ids import AdjustmentId, CustomerId
from tenor.kernel.money import EXACT, Money, to_minor
from tenor.kernel.quantity import plain
from tenor.platform.unit_of_work import UnitOfWork
from tenor.wallets import find_wallet, require_sound
from tenor.wallets.model import PRIORITY_LAST, NewGrant

_OPERATION = "sell_credits"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditOffer:
    """What is sold: `amount` of the unit of a customer's `wallet`, for `price_minor` without tax.

    Without a price it costs what it is worth when it pays. `lasts` counts from the grant. `granted` says when it is
    made: when the invoice is paid, or at once. The sale bears the tax of its `tax_category`, by default none, because
    what the credit pays is taxed when it is billed.
    """

    customer_id: CustomerId
    wallet: str = "main"
    amount: Decimal
    price_minor: int | None = None
    description: str | None = None
    tax_category: str = OUT_OF_SCOPE
    priority: int = PRIORITY_LAST
    features: frozenset[str] = frozenset()
    lasts: Interval | None = None
    granted: Literal["when_paid", "at_once"] = "when_paid"

    @property
    def content(self) -> Mapping[str, object]:
        """What a request key stands for."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**values, "amount": plain(self.amount), "features": sorted(self.features)}


def sell_credits(
    uow: UnitOfWork, offer: CreditOffer, *, key: str, now: datetime, actor: str, reason: str
) -> BilledPurchase:
    """Invoice prepaid credit and return the purchase. The same `key` with the same offer makes nothing new.

    Customer credit pays the invoice first; wallets never do. What then needs no payment is granted at once.

    Raises:
        WalletNotFound: the customer has no wallet of this code.
        MalformedWallet, Malformed, NotADecimal: an amount, a price or a text that cannot be.
        RequestKeyReused: the key was used for something else.
    """
    require_text(reason, name="reason", length_max=4 * TEXT_LENGTH_MAX)
    known = made_before(uow, _OPERATION, key, offer.content)
    if known is not None:
        return purchases_of(uow, [AdjustmentId(known)])[0]
    (sold,) = issue_sales(uow, [_sale(uow, offer)], now=now, actor=actor, reason=reason)
    remember(uow, _OPERATION, key, offer.content, sold.purchase.adjustment_id)
    return sold


def _sale(uow: UnitOfWork, offer: CreditOffer) -> Sale:
    require_sound(NewGrant(offer.amount, "purchase", "paid", priority=offer.priority, features=offer.features))
    wallet = find_wallet(uow, offer.customer_id, offer.wallet)
    price_minor = offer.price_minor
    if price_minor is None:
        with localcontext(EXACT):
            price_minor = to_minor(offer.amount * wallet.terms.rate, wallet.terms.currency)
    if Money(price_minor, wallet.terms.currency).minor <= 0:
        raise Malformed(f"prepaid credit is sold for more than 0, not {price_minor} minor units")
    description = offer.description or f"{plain(offer.amount)} {wallet.terms.unit} of prepaid credit"
    require_text(description, name="description", length_max=TEXT_LENGTH_MAX)
    return Sale(
        wallet_id=wallet.id,
        customer_id=offer.customer_id,
        currency=wallet.terms.currency,
        amount=offer.amount,
        price_minor=price_minor,
        description=description,
        tax_category=offer.tax_category,
        priority=offer.priority,
        features=offer.features,
        lasts=offer.lasts,
        is_granted_at_once=offer.granted == "at_once",
    )
