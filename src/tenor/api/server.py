"""Serve the API by uvicorn, until the process is told to stop."""

import gc
import signal
import socket
from typing import Final

import uvicorn

from tenor.api.app import create_app
from tenor.api.errors import AddressTaken
from tenor.api.protocol import BoundedHttp
from tenor.platform.database import Database
from tenor.platform.settings import Settings

STOP_SECONDS_MAX: Final = 30
"""How long calls that have begun may take to end after the process was told to stop."""
BACKLOG: Final = 2_048
"""Connections that wait to be taken."""
CONNECTIONS_MAX: Final = 1_000
"""Beyond, calls are answered with 503 at once; each connection takes a file descriptor."""

YOUNG_OBJECTS: Final = 50_000
"""So many objects more than before set the collector off: a batch of usage makes thousands, all of them soon gone."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket to which callers can connect from now on; port 0 is any free one.

    Raises:
        AddressTaken: another process listens there, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = (error.strerror or str(error)).partition(" (")[0]
        raise AddressTaken(f"cannot listen on {host} port {port}: {why}; choose another --port or --host") from error


def serve(
    database: Database, settings: Settings, listener: socket.socket, *, threads: int, calls_per_minute: int
) -> None:
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
    config = uvicorn.Config(
        app,
        access_log=False,
        log_level="warning",
        server_header=False,
        http=BoundedHttp,
        ws="none",
        limit_concurrency=CONNECTIONS_MAX,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )
    uvicorn.Server(config).run(sockets=[listener])
