"""What all resources have in common: where they stand, how they read, and how they refuse."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter

from tenor.api.bodies import StrictRoute

_PROBLEM: Final[Mapping[str, Any]] = {
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "Refused; nothing has changed.", **_PROBLEM},
    "5XX": {"description": "The engine could not do its work; nothing has changed.", **_PROBLEM},
}


def resource(name: str) -> APIRouter:
    """Return a router for the routes of one resource; paths stand below /v1."""
    return APIRouter(prefix="/v1", tags=[name], route_class=StrictRoute, responses=_RESPONSES)
