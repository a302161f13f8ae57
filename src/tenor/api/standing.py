"""How the process stands: alive, ready, and what it has counted. No credential is asked for, no tenant named."""

from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import JSONResponse, Response

from tenor.api.call import Engine
from tenor.api.edge import Metrics
from tenor.kernel.errors import Refusal
from tenor.platform.migrate import unapplied_migrations

LOOKS_AT_ONCE: Final = 2
"""Threads of their own: whether the process is ready is asked just when all others are at work."""


def standing_router(metrics: Metrics) -> APIRouter:
    """Return the routes that an operator's machines ask."""
    router = APIRouter(include_in_schema=False)
    looks = CapacityLimiter(LOOKS_AT_ONCE)

    @router.get("/healthz")
    async def healthz() -> Response:
        """The process answers."""
        return JSONResponse({"status": "alive"})

    @router.get("/readyz")
    async def readyz(request: Request) -> Response:
        """The database answers, with the schema of this release."""
        engine: Engine = request.app.state.engine
        try:
            missing = await to_thread.run_sync(unapplied_migrations, engine.database, limiter=looks)
        except Refusal as refusal:
            return JSONResponse({"status": "not ready", "code": refusal.code}, 503)
        if missing:
            return JSONResponse({"status": "not ready", "code": "migrations_missing"}, 503)
        return JSONResponse({"status": "ready"})

    @router.get("/metrics")
    async def read_metrics() -> Response:
        """What Prometheus reads."""
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router
