"""What the feed and the broker refuse."""

from tenor.kernel.errors import Malformed, Refusal


class NotAnEventType(Malformed):
    """A text that names no type of event."""

    code = "not_an_event_type"


class UnknownBroker(Malformed):
    """A broker URL that nothing here can publish to."""

    code = "unknown_broker"


class BrokerFailed(Refusal):
    """The broker did not take a message; it is published again later."""

    code = "broker_failed"
