"""The relay: gives events their places, publishes them to the broker, and sends webhooks, until it is told to stop."""

from tenor.relay.loop import Relay, RelayCounts

__all__ = ["Relay", "RelayCounts"]
