"""Events: the feed of what happened, in order and without gaps, and its way to a message broker."""

from tenor.events.brokers import broker_at
from tenor.events.errors import BrokerFailed, NotAnEventType, UnknownBroker
from tenor.events.feed import FeedStatus, events_after, events_at, feed_status, find_event, last_position
from tenor.events.model import (
    FeedEvent,
    FeedPage,
    object_from_wire,
    object_to_wire,
    require_event_types,
)
from tenor.events.ports import Broker, BrokerMessage
from tenor.events.publishing import publish_feed
from tenor.events.readers import lock_reader, move_reader, start_reader, tenants_behind
from tenor.events.sequencing import sequence_events, tenants_with_news

__all__ = [
    "Broker",
    "BrokerFailed",
    "BrokerMessage",
    "FeedEvent",
    "FeedPage",
    "FeedStatus",
    "NotAnEventType",
    "UnknownBroker",
    "broker_at",
    "events_after",
    "events_at",
    "feed_status",
    "find_event",
    "last_position",
    "lock_reader",
    "move_reader",
    "object_from_wire",
    "object_to_wire",
    "publish_feed",
    "require_event_types",
    "sequence_events",
    "start_reader",
    "tenants_behind",
    "tenants_with_news",
]
