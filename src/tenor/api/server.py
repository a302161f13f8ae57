"""Serve the API by uvicorn, until the process is told to stop."""

import gc
import signal
import socket
from typing import Final

import uvicorn

from tenor.api.app import create_app
from tenor.api.protocol import BoundedHttp
from tenor.kernel.errors import Refusal
from tenor.platform.database import Database
from tenor.platform.settings import Settings

STOP_SECONDS_MAX: Final = 30
"""How long calls that have begun may take to end after the process was told to stop."""
BACKLOG: Final = 2_048
"""Connections that wait to be taken."""
CONNECTIONS_MAX: Final = 1_000
"""Beyond, calls are answered with 503 at once; each connection takes a file descriptor."""


class AddressNotFree(Refusal):
    """Nothing can listen at this address: another process does, it is not of this machine, or it may not be taken."""

    code = "address_not_free"


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that takes calls at an address, so that whoever is told of it can call; port 0 is any free one.

    Raises:
        AddressNotFree: as said.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (error.strerror or "").partition(" (while")[0]
        fix = "see what listens there, or choose another with --port and --host"
        raise AddressNotFree(f"{host} port {port}: {reason}; {fix}") from error


def serve(
    database: Database, settings: Settings, *, listener: socket.socket, threads: int, calls_per_minute: int
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
