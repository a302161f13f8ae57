"""Burning: in which order grants are drawn from, and what a use takes of each."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from tenor.wallets.model import ZERO, Draw, Grant

_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

BURN_KEYS: Final[Mapping[str, Callable[[Grant], Any]]] = MappingProxyType(
    {
        "priority": lambda grant: grant.priority,
        "feature_restricted": lambda grant: not grant.features,
        "expiry": lambda grant: grant.expires_at or _NEVER,
        "category": lambda grant: grant.category != "promotional",
        "effective": lambda grant: grant.effective_at,
        "created": lambda grant: grant.created_at or _ALWAYS,
        "id": lambda grant: grant.id,
    }
)
"""What each key of a burn order compares; the lower burns first."""


def in_burn_order(grants: Iterable[Grant], order: Sequence[str]) -> list[Grant]:
    """Return `grants` in the order in which they burn: the first key of `order` that differs decides.

    Low priority numbers, grants limited to features, soon expiries, promotional ones, early ones first; grants that
    are equal in every key keep their order.
    """
    keys = [BURN_KEYS[name] for name in order]
    return sorted(grants, key=lambda grant: tuple(key(grant) for key in keys))


def draw(need: Decimal, grants: Sequence[Grant], balances: Mapping[str, Decimal]) -> tuple[list[Draw], Decimal]:
    """Cover `need` by `grants` in their order; return what is taken of each, and the rest that none covers."""
    draws: list[Draw] = []
    for grant in grants:
        if need <= ZERO:
            break
        taken = min(need, balances[grant.id])
        if taken > ZERO:
            draws.append(Draw(grant.id, taken))
            need -= taken
    return draws, need


def after(balances: Mapping[str, Decimal], draws: Iterable[Draw]) -> dict[str, Decimal]:
    """Return the balances that `draws` leave."""
    left = dict(balances)
    for grant_id, amount in draws:
        left[grant_id] -= amount
    return left
