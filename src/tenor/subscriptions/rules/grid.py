"""Grid: the billing periods of an item, in its subscription's zone and by its profile's calendar."""

from datetime import datetime, tzinfo

from tenor.kernel.calendar import Grid, Interval, Unit, fixed_offset_at, parse_zone, period_at
from tenor.pricing.policy import profile
from tenor.subscriptions.model import Item, Subscription


def billing_grid(item: Item, interval: Interval, subscription: Subscription) -> Grid:
    """Return the grid of `interval` on which the item is billed."""
    calendar = profile(subscription.profile).calendar
    zone = parse_zone(subscription.timezone)
    return Grid(
        interval=interval,
        anchor=item.anchor_at,
        zone=fixed_offset_at(zone, item.anchor_at) if calendar.zone == "fixed_offset" else zone,
        alignment=calendar.alignment,
        month_end=calendar.month_end,
        boundary_time=calendar.boundary_time,
    )


def period_end(item: Item, interval: Interval, subscription: Subscription, *, at: datetime) -> datetime:
    """Return the end of the item's billing period that holds `at`; in a trial, the end of the trial."""
    if subscription.trial_ends_at is not None and at < subscription.trial_ends_at:
        return subscription.trial_ends_at
    return period_at(billing_grid(item, interval, subscription), at).end


def trial_end(starts_at: datetime, days: int, zone: tzinfo) -> datetime | None:
    """Return when a trial of so many civil days ends: the same local time of day; None for no days."""
    if not days:
        return None
    return period_at(Grid(Interval(Unit.DAY, days), anchor=starts_at, zone=zone), starts_at).end
