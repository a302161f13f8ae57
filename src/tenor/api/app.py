"""The application: every resource, every refusal, and the document that describes them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from tenor.api.background import BackgroundRuns
from tenor.api.call import Clock, Engine, wall_time
from tenor.api.edge import Edge, Metrics
from tenor.api.errors import (
    HeaderMalformed,
    IdempotencyKeyMissing,
    MethodNotAllowed,
    RequestMalformed,
    RouteUnknown,
    TryAgain,
)
from tenor.api.limits import RateLimiter
from tenor.api.logs import LOG
from tenor.api.openapi import describe
from tenor.api.problems import BUSY, field_errors, problem
from tenor.api.reference import reference_router
from tenor.api.resources import RESOURCES
from tenor.api.sharing import Sharing
from tenor.api.standing import standing_router
from tenor.api.versions import CURRENT_VERSION
from tenor.kernel.closest import closest
from tenor.kernel.errors import Refusal
from tenor.kernel.strict_json import NotJson
from tenor.platform.database import Database
from tenor.platform.settings import Settings

THREADS: Final = 32
CALLS_PER_MINUTE: Final = 6_000
"""How many calls one key may make in a minute, where the operator says nothing else."""
TOLD_AT_ONCE: Final = 3
"""How many wrong fields the words of a refusal name; `errors` names all of them."""
SIGN_INS_PER_MINUTE: Final = 30
"""How often one address may try to sign in within a minute: each attempt hashes a password, which is dear."""


def create_app(
    database: Database,
    settings: Settings,
    *,
    calls_per_minute: int = CALLS_PER_MINUTE,
    sign_ins_per_minute: int = SIGN_INS_PER_MINUTE,
    threads: int = THREADS,
    wall_clock: Clock = wall_time,
) -> FastAPI:
    """Return the application over an open, migrated database; `threads` calls are worked on at once."""
    app = _application()
    app.state.threads = threads
    app.state.sharing = Sharing(threads)
    limiter, runs = RateLimiter(calls_per_minute), BackgroundRuns(database, settings)
    app.state.engine = Engine(database, settings, limiter, wall_clock, runs, RateLimiter(sign_ins_per_minute))
    return app


def openapi_document() -> dict[str, Any]:
    """Return what the API says of itself, in the form of OpenAPI 3.1. No database is needed for it."""
    return _application().openapi()


def _application() -> FastAPI:
    """Return the application without an engine."""
    app = FastAPI(
        title="Tenor",
        version=CURRENT_VERSION,
        summary="A sovereign subscription billing engine that can prove every cent.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        lifespan=_lifespan,
    )
    metrics = Metrics()
    app.include_router(standing_router(metrics))
    for resource in RESOURCES:
        app.include_router(resource)
    app.add_exception_handler(Refusal, _refused)
    for error in BUSY:
        app.add_exception_handler(error, _busy)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_middleware(Edge, metrics=metrics)
    describe(app)
    app.include_router(reference_router(app.openapi))
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Bound the threads while the application is served; at its end, let the bill run that is in work finish."""
    to_thread.current_default_thread_limiter().total_tokens = app.state.threads
    yield
    await to_thread.run_sync(app.state.engine.runs.close)


async def _refused(request: Request, refusal: Any) -> Response:
    request.scope["state"].setdefault("log", {})["code"] = refusal.code
    return problem(refusal, request_id=request.state.request_id)


async def _busy(request: Request, error: Exception) -> Response:
    """Answer what the database could not do now; what that was is for the log alone."""
    LOG.warning("busy", request_id=request.state.request_id, exc_info=error)
    return await _refused(request, TryAgain(type(error).__name__))


async def _malformed(request: Request, error: Any) -> Response:
    """Answer what FastAPI could not read: no JSON, a header, or fields of the body and parameters."""
    found = list(error.errors())
    errors = field_errors(found, error.body)
    words = "; ".join(f"{one['location']} {one['path']}: {one['message']}" for one in errors[:TOLD_AT_ONCE])
    if any(one["type"] == "json_invalid" for one in found):
        return await _refused(request, NotJson(f"the body is not JSON: {found[0]['ctx']['error']}"))
    if any(one["location"] == "header" for one in errors):
        missing = any(one["path"] == "Idempotency-Key" and one["code"] == "missing" for one in errors)
        kind = IdempotencyKeyMissing if missing else HeaderMalformed
        return await _refused(request, kind(words, errors=errors))
    return await _refused(request, RequestMalformed(words, errors=errors))


async def _unrouted(request: Request, error: Any) -> Response:
    """Answer a call that no route takes."""
    if error.status_code == 405:
        allowed = ", ".join(sorted(_methods_of(request.url.path)))
        return await _refused(request, MethodNotAllowed(f"this path allows {allowed}", allow=allowed))
    if error.status_code == 404:
        return await _refused(request, RouteUnknown(f"there is no such path{_path_meant(request.url.path)}"))
    return await _refused(request, RequestMalformed(str(error.detail)))


def _path_meant(path: str) -> str:
    """Return what to say of a path that leads nowhere: one that is like it, or where all of them are listed."""
    known = {route.path for resource in RESOURCES for route in resource.routes if isinstance(route, APIRoute)}
    meant = closest("/v1" + path.removeprefix("/v1").removeprefix("/v1"), known)
    return "; GET /openapi.json lists all" if meant is None else f" (did you mean {meant}?)"


def _methods_of(path: str) -> set[str]:
    routes = (route for resource in RESOURCES for route in resource.routes if isinstance(route, APIRoute))
    return {method for route in routes if route.path_regex.match(path) for method in route.methods or ()}


def _operation_id(route: APIRoute) -> str:
    """Return the name of a route for generated clients: the resource, then what is done: 'webhook_endpoints_list'."""
    resource = str(route.tags[0]) if route.tags else ""
    return f"{resource.lower().replace(' ', '_')}_{route.name.rstrip('_')}"
