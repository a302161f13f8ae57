"""The API on a real server of this process, and callers with their keys."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI

from tenor.access import EVERYTHING, create_key
from tenor.api.protocol import BoundedHttp
from tenor.kernel.ids import TenantId
from tenor.platform.database import Database

PHASES: Final = "examples,coverage,fuzzing,stateful"
"""All that schemathesis does."""
TOOLS: Final = Path(__file__).parents[2] / "tools"


@contextmanager
def served(app: FastAPI, *, lifespan: Literal["on", "off"] = "off") -> Iterator[str]:
    """Serve an application on a free port of loopback; yield its URL. With a lifespan its threads are bounded."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", access_log=False, lifespan=lifespan, http=BoundedHttp, ws="none")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start in time"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with a key. Each POST has an idempotency key of its own unless it is given one."""

    client: httpx.Client
    secret: str

    def get(self, path: str, **query: object) -> httpx.Response:
        """Call GET."""
        asked = {name: value if isinstance(value, list) else str(value) for name, value in query.items()}
        return self.client.get(f"/v1{path}", params=asked, headers=self.headers())

    def post(self, path: str, body: object = None, *, key: str | None = None) -> httpx.Response:
        """Call POST with a JSON body."""
        return self.client.post(
            f"/v1{path}",
            json={} if body is None else body,
            headers=self.headers() | {"Idempotency-Key": key or uuid4().hex},
        )

    def send(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        """Call POST with these very bytes."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        usual = self.headers() | {"Content-Type": "application/json", "Idempotency-Key": uuid4().hex}
        return self.client.post(f"/v1{path}", content=content, headers=usual | named)

    def headers(self) -> dict[str, str]:
        """Return the headers of every call."""
        return {"Authorization": f"Bearer {self.secret}"}

    def made(self, path: str, body: object = None, *, status: int = 201) -> dict[str, Any]:
        """Call POST and insist on the status; return the answer."""
        return answer(self.post(path, body), status)

    def seen(self, path: str, **query: object) -> dict[str, Any]:
        """Call GET and insist that it is answered; return the answer."""
        return answer(self.get(path, **query), 200)


def answer(response: httpx.Response, status: int) -> dict[str, Any]:
    """Insist on the status of an answer; return its body."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    body = response.json()
    assert isinstance(body, dict)
    return body


def refused(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Insist that a call was refused with a status and a code; return the problem."""
    problem = answer(response, status)
    assert (problem["code"], problem["status"]) == (code, status), problem
    assert response.headers["content-type"] == "application/problem+json"
    return problem


def new_secret(database: Database, tenant: TenantId, *scopes: str) -> str:
    """Return the text of a fresh key of a tenant, for everything unless scopes are given."""
    with database.transaction(tenant) as uow:
        issued = create_key(
            uow, name="test", scopes=scopes or EVERYTHING, now=datetime.now(UTC), actor="test", reason="test"
        )
    return issued.text


def fuzzed(
    base: str,
    secret: str,
    *,
    examples: int,
    phases: str = PHASES,
    is_told: bool = False,
) -> int:
    """Run schemathesis with all its checks against a server; return its exit code.

    Left out is what would only cut the branch on which it sits: revoking the key that it calls with.
    """
    words = [
        *(str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(TOOLS / "schemathesis.toml")),
        *("run", f"{base}/openapi.json", "--url", base, "--phases", phases),
        *("-H", f"Authorization: Bearer {secret}", "--checks", "all", "--max-examples", str(examples)),
        *("--exclude-path-regex", "api-keys/.*/(revoke|rotate)", "--generation-deterministic", "--no-color"),
    ]
    with TemporaryDirectory() as folder:  # where it leaves what it remembers
        done = subprocess.run(words, cwd=folder, capture_output=not is_told, text=True, check=False)
    if done.returncode and not is_told:
        sys.stderr.write(done.stdout[-20_000:])
    return done.returncode
