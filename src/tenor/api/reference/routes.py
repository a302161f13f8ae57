"""`/docs`: the reference of the API. It is what /openapi.json says, and no credential is asked for."""

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from tenor.api.errors import RouteUnknown
from tenor.api.reference.pages import OVERVIEW, pages

POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may load for a page: our own style sheet, and nothing from anywhere else."""


def reference_router(document: Callable[[], dict[str, Any]]) -> APIRouter:
    """Return the routes of the pages over the document that the application has."""
    router = APIRouter(include_in_schema=False)
    made = cache(lambda: pages(document()))
    style = files("tenor.api.reference").joinpath("style.css").read_text(encoding="utf-8")

    @router.get("/docs")
    def overview(request: Request) -> Response:
        """All operations, by resource."""
        return _shown(request, HTMLResponse(made()[OVERVIEW]))

    @router.get("/docs/style.css")
    def style_sheet(request: Request) -> Response:
        """How the pages look."""
        return _shown(request, Response(style, media_type="text/css"))

    @router.get("/docs/{resource}")
    def of_resource(request: Request, resource: str) -> Response:
        """The operations of one resource."""
        if not resource or resource not in made():
            raise RouteUnknown("there is no such page; /docs lists all")
        return _shown(request, HTMLResponse(made()[resource]))

    return router


def _shown(request: Request, response: Response) -> Response:
    """Let a page load its style sheet, and a browser keep it for a while."""
    request.state.headers = {"Content-Security-Policy": POLICY, "Cache-Control": "public, max-age=300"}
    return response
