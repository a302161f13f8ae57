"""Webhooks: events sent to the endpoints of a tenant, signed, tried again, and safe for the network they come from."""

from tenor.webhooks.caller import WebhookCaller
from tenor.webhooks.errors import (
    EndpointNotFound,
    MalformedEndpoint,
    TooManyEndpoints,
    UnsafeAddress,
    UnsafeUrl,
)
from tenor.webhooks.fan_out import FannedOut, fan_out
from tenor.webhooks.operations.add_endpoint import add_endpoint
from tenor.webhooks.operations.replay import replay_event, replay_since
from tenor.webhooks.operations.rotate_secret import rotate_secret
from tenor.webhooks.operations.set_status import disable_endpoint, enable_endpoint
from tenor.webhooks.queries import webhook_attempts, webhook_endpoint, webhook_endpoints, webhook_messages
from tenor.webhooks.sender import WebhookSender
from tenor.webhooks.store.secrets import rewrap_secrets

__all__ = [
    "EndpointNotFound",
    "FannedOut",
    "MalformedEndpoint",
    "TooManyEndpoints",
    "UnsafeAddress",
    "UnsafeUrl",
    "WebhookCaller",
    "WebhookSender",
    "add_endpoint",
    "disable_endpoint",
    "enable_endpoint",
    "fan_out",
    "replay_event",
    "replay_since",
    "rewrap_secrets",
    "rotate_secret",
    "webhook_attempts",
    "webhook_endpoint",
    "webhook_endpoints",
    "webhook_messages",
]
