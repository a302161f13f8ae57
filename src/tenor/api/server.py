"""Serve the API by uvicorn, until the process is told to stop."""

import gc
import signal
from typing import Final

import uvicorn

from tenor.api.app import create_app
from tenor.platform.database import Database
from tenor.platform.settings import Settings

STOP_SECONDS_MAX: Final = 30
"""How long calls that have begun may take to end after the process was told to stop."""

YOUNG_OBJECTS: Final = 50_000
"""So many objects more than before set the collector off: a batch of usage makes thousands, all of them soon gone."""


def serve(database: Database, settings: Settings, *, host: str, port: int, threads: int, calls_per_minute: int) -> None:
    """Answer calls until SIGTERM or SIGINT; those that have begun are answered before it returns.

    `threads` is how many calls are worked on at once, each with a connection of its own.
    """
    app = create_app(database, settings, calls_per_minute=calls_per_minute, threads=threads)
    # uvicorn ends what has begun and raises the signal again for whoever handled it before: nobody shall die of it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    # What is there now lives as long as the process: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    uvicorn.run(
        app,
        host=host,
        port=port,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )
