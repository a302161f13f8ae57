"""The simulated tenant: everything that is so at one instant, and who may be asked for it."""

from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from tenor.conformance.scenario.documents import Account
from tenor.conformance.scenario.life import Subscription
from tenor.conformance.scenario.prepaid_wallet import PrepaidWallet
from tenor.conformance.scenario.reading import Buyer, Story
from tenor.conformance.scenario.strict import NotRunnable
from tenor.conformance.scenario.terms import Terms
from tenor.metering.model import UsageEvent


@dataclass(frozen=True, slots=True)
class Arrival:
    """A usage event of a subscription, and when it arrived."""

    subscription: str
    metric: str
    event: UsageEvent


@dataclass(slots=True, eq=False)
class World:
    """The state of one tenant. Every rule takes it whole; `now` only moves forward.

    `is_gathering`: the step at work is one part of a call; billing waits for the last part.
    """

    story: Story
    terms: Terms
    now: datetime
    accounts: dict[str, Account] = field(default_factory=dict)
    subscriptions: dict[str, Subscription] = field(default_factory=dict)
    usage: list[Arrival] = field(default_factory=list)
    wallets: dict[str, list[PrepaidWallet]] = field(default_factory=dict)
    is_gathering: bool = False

    def account(self, name: str | None) -> Account:
        """Return a customer's account; the only one where no name is given.

        Raises:
            NotRunnable: there is no such customer, or more than one and none is named.
        """
        if name is None and len(self.accounts) == 1:
            return next(iter(self.accounts.values()))
        if name is None or name not in self.accounts:
            raise NotRunnable(f"there is no customer {name!r}")
        return self.accounts[name]

    def subscription(self, name: str | None) -> Subscription:
        """Return a subscription; the only one where no name is given.

        Raises:
            NotRunnable: there is no such subscription, or more than one and none is named.
        """
        if name is None and len(self.subscriptions) == 1:
            return next(iter(self.subscriptions.values()))
        if name is None or name not in self.subscriptions:
            raise NotRunnable(f"there is no subscription {name!r}")
        return self.subscriptions[name]

    def subscriptions_of(self, customer: str) -> list[Subscription]:
        """Return the subscriptions of a customer, oldest first."""
        return [entry for entry in self.subscriptions.values() if entry.customer == customer]

    def wallets_of(self, customer: str) -> list[PrepaidWallet]:
        """Return the wallets of a customer, oldest first."""
        return self.wallets.get(customer, [])

    def buyer(self, customer: str) -> Buyer:
        """Return the customer as the case opens."""
        return self.story.buyers[customer]

    def zone(self, customer: str) -> tzinfo:
        """Return the zone in which a customer's days are counted."""
        return self.terms.zone(self.buyer(customer).timezone)

    def usage_zone(self, customer: str) -> tzinfo:
        """Return the zone in which a customer's usage is cut into periods."""
        return self.terms.usage_zone(self.buyer(customer).timezone)
