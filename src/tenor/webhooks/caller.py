"""The HTTP call of a webhook, which cannot be turned against the network that it is made from.

The name of the endpoint is resolved once, every address that it has must be public, and the connection goes to one of
these addresses, while `Host` and the name in TLS stay those of the URL: what the name says a moment later does not
matter (DNS rebinding). No redirect is followed, no proxy is taken from the environment, little of an answer is read.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import Final, Self

import httpcore

from tenor.webhooks.errors import UnsafeAddress, UnsafeUrl
from tenor.webhooks.model import ANSWER_LENGTH_MAX, Answer
from tenor.webhooks.rules.addresses import is_loopback, is_public
from tenor.webhooks.rules.urls import require_url

DEADLINE_SECONDS: Final = 20.0
"""For the whole call, from the name to the answer; Standard Webhooks asks for 15 to 30."""
CONNECT_SECONDS: Final = 5.0
NAMES_AT_ONCE: Final = 200
"""Threads that look up names: one whose server is silent holds its thread for longer than the call that asks waits."""
ERROR_LENGTH_MAX: Final = 500

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a name."""


async def resolve(threads: ThreadPoolExecutor, host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name as the machine knows them, looked up in a thread."""
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await asyncio.get_running_loop().run_in_executor(threads, look_up)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class WebhookCaller:
    """Makes calls; keeps connections for a few seconds. Use it with `async with`, in one event loop.

    `allows_local` is the operator's setting for development: http and the machine itself, and nothing else besides.
    """

    def __init__(
        self,
        *,
        allows_local: bool = False,
        resolver: Resolver | None = None,
        network: httpcore.AsyncNetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._allows_local = allows_local
        self._deadline_seconds = deadline_seconds
        # Not the threads that everything else is done in: names are looked up where their owners say.
        self._threads = ThreadPoolExecutor(NAMES_AT_ONCE, thread_name_prefix="names")
        resolver = resolver or partial(resolve, self._threads)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls or ssl.create_default_context(),
            network_backend=_VettedNetwork(network or httpcore.AnyIOBackend(), resolver, allows_local=allows_local),
            max_connections=200,
            keepalive_expiry=5.0,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST `body`; return what came of it. It never raises for what the other side does."""
        started = time.monotonic()
        status: int | None = None
        received = bytearray()
        error: str | None = None
        try:
            require_url(url, allows_local=self._allows_local)
            async with asyncio.timeout(self._deadline_seconds), self._stream(url, body, headers) as response:
                status = response.status
                async for chunk in response.aiter_stream():
                    received += chunk[:ANSWER_LENGTH_MAX]
                    if len(received) >= ANSWER_LENGTH_MAX:
                        break
        except (UnsafeUrl, UnsafeAddress) as refusal:
            error = refusal.message
        except TimeoutError:
            error = f"no answer within {self._deadline_seconds:g} seconds"
        except Exception as failure:  # noqa: BLE001  what a stranger's server, name or certificate does is an answer
            error = f"{type(failure).__name__}: {failure}"
        text = received.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")[:ANSWER_LENGTH_MAX]
        duration_ms = int((time.monotonic() - started) * 1_000)
        # A status that has arrived is the answer, whatever becomes of the body.
        return Answer(status, error[:ERROR_LENGTH_MAX] if error and status is None else None, text, duration_ms)

    def _stream(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[httpcore.Response]:
        sent = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "Tenor-Webhooks/1"}
        waits = dict.fromkeys(("read", "write", "pool"), self._deadline_seconds) | {"connect": CONNECT_SECONDS}
        return self._pool.stream(
            "POST", url, headers=list((sent | dict(headers)).items()), content=body, extensions={"timeout": waits}
        )


class _VettedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the addresses of a name only if every one of them is public."""

    def __init__(self, network: httpcore.AsyncNetworkBackend, resolver: Resolver, *, allows_local: bool) -> None:
        self._network = network
        self._resolve = resolver
        self._allows_local = allows_local

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        last_error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in await self._vetted(host, port):
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last_error = error
        raise last_error

    async def _vetted(self, host: str, port: int) -> Sequence[str]:
        addresses = await self._resolve(host, port)
        for address in addresses:
            if not (is_public(address) or (self._allows_local and is_loopback(address))):
                raise UnsafeAddress(f"{host} leads to {address}, which is not an address of the public internet")
        return addresses

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)
