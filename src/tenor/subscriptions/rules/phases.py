"""Phases: cutting, joining and closing stretches of time on unchanging terms."""

from collections.abc import Iterable
from datetime import datetime

from tenor.subscriptions.model import Closing, Phase, PhaseState, Terms

Phases = tuple[Phase, ...]


def cut(phases: Iterable[Phase], at: datetime) -> tuple[Phases, Phases]:
    """Split `phases` at an instant into what lies before it and what lies from it on."""
    before: list[Phase] = []
    after: list[Phase] = []
    for phase in phases:
        if phase.ends_at is not None and phase.ends_at <= at:
            before.append(phase)
        elif phase.starts_at >= at:
            after.append(phase)
        else:
            before.append(phase._replace(ends_at=at))
            after.append(phase._replace(starts_at=at))
    return tuple(before), tuple(after)


def filled(phases: Iterable[Phase]) -> Phases:
    """Drop the phases of which no time is left."""
    return tuple(phase for phase in phases if phase.ends_at is None or phase.starts_at < phase.ends_at)


def joined(phases: Iterable[Phase]) -> Phases:
    """Join neighbours that agree in everything but time, so that a change which changes nothing leaves no seam.

    What a seam says about the period that it cuts goes with it: a closing stands only where billing stops.
    """
    found: list[Phase] = []
    for phase in phases:
        before = found[-1] if found else None
        if before is not None and _terms_of(before) == _terms_of(phase):
            found[-1] = phase._replace(starts_at=before.starts_at)
            continue
        if before is not None and phase.is_billable:
            found[-1] = before._replace(closing=Closing.PRORATED)
        found.append(phase)
    return tuple(found)


def closed(phases: Phases, closing: Closing) -> Phases:
    """Return `phases` with what their end does to the period that it cuts; where they are billable until then."""
    if not phases or not phases[-1].is_billable:
        return phases
    return (*phases[:-1], phases[-1]._replace(closing=closing))


def paused(phases: Iterable[Phase]) -> Phases:
    """Return `phases` without service."""
    return tuple(phase._replace(is_billable=False, state=PhaseState.PAUSED) for phase in phases)


def billable_from(phases: Phases, at: datetime | None) -> Phases:
    """Return `phases` of which nothing is billable before `at`; None: as they are."""
    if at is None:
        return phases
    paid_for, rest = cut(phases, at)
    return (*(phase._replace(is_billable=False) for phase in paid_for), *rest)


def opened(starts_at: datetime, terms: Terms, *, trial_ends_at: datetime | None, trial_converts: bool) -> Phases:
    """Return the trial if there is one, then the open paid phase unless the trial lapses."""
    paid_from = trial_ends_at or starts_at
    paid_until = None if trial_converts else trial_ends_at
    return filled(
        [
            Phase(starts_at, paid_from, is_billable=False, terms=terms, state=PhaseState.TRIAL),
            Phase(paid_from, paid_until, is_billable=True, terms=terms),
        ]
    )


def with_trial_until(phases: Phases, ends_at: datetime) -> Phases:
    """Return `phases`, which begin with a trial, with another end of it.

    What follows the trial moves with it. A trial of which nothing is left converts, even where it would have lapsed.
    """
    trial, *paid = phases
    if not paid and ends_at <= trial.starts_at:
        return (trial._replace(ends_at=None, is_billable=True, state=PhaseState.ACTIVE),)
    _, rest = cut([phase._replace(starts_at=min(phase.starts_at, ends_at)) for phase in paid[:1]] + paid[1:], ends_at)
    return filled([trial._replace(ends_at=ends_at), *rest])


def _terms_of(phase: Phase) -> tuple[bool, Terms, PhaseState]:
    return phase.is_billable, phase.terms, phase.state
