"""The call itself: names that lead inside, that change their mind, certificates, proxies of the environment."""

import asyncio
import socket
import ssl
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tenor.webhooks import WebhookCaller
from tenor.webhooks.caller import Resolver
from tenor.webhooks.model import Answer
from tests.support.receiver import receiving


class Network(httpcore.AsyncNetworkBackend):
    """Connects nowhere, and keeps where it was asked to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def connect_tcp(self, host: str, port: int, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        self.asked.append((host, port))
        raise httpcore.ConnectError("nobody there")


def names(*answers: Sequence[str]) -> Resolver:
    """Return a resolver that gives these answers in turn, the last one for ever."""
    left = list(answers)

    async def look_up(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return look_up


def post(url: str, caller: WebhookCaller, times: int = 1) -> list[Answer]:
    async def run() -> list[Answer]:
        async with caller:
            return [await caller.post(url, b"{}", {"webhook-id": "evt_1"}) for _ in range(times)]

    return asyncio.run(run())


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.7"],
        ["169.254.169.254"],
        ["100.100.100.200"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["fe80::1%eth0"],
        ["8.8.8.8", "127.0.0.1"],  # one bad address spoils the name
    ],
)
def test_a_name_that_leads_inside_is_never_connected_to(addresses: list[str]) -> None:
    network = Network()
    (answer,) = post("https://hooks.example.com/", WebhookCaller(resolver=names(addresses), network=network))

    assert network.asked == []
    assert answer.status_code is None
    assert "not an address of the public internet" in (answer.error or "")


def test_whatever_a_name_does_is_an_answer() -> None:
    async def look_up(_host: str, _port: int) -> Sequence[str]:
        raise UnicodeError("label too long")

    (answer,) = post("https://hooks.example.com/", WebhookCaller(resolver=look_up, network=Network()))
    assert (answer.status_code, answer.error) == (None, "UnicodeError: label too long")


def test_names_whose_servers_are_silent_take_no_thread_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    is_over = threading.Event()

    def silent(*_: object, **__: object) -> list[object]:
        is_over.wait(10)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", silent)

    async def run() -> tuple[str, list[Answer]]:
        async with WebhookCaller(deadline_seconds=0.5) as caller:
            calls = [asyncio.create_task(caller.post("https://slow.example.com/", b"{}", {})) for _ in range(40)]
            await asyncio.sleep(0.1)
            other = await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 0.3)
            return other, await asyncio.gather(*calls)

    try:
        other, answers = asyncio.run(run())
    finally:
        is_over.set()
    assert other == "done"
    assert {answer.error for answer in answers} == {"no answer within 0.5 seconds"}


def test_a_name_that_changes_its_mind_is_called_where_it_was_vetted() -> None:
    """DNS rebinding: public when it is looked at, inside when it would be looked up again."""
    network, resolver = Network(), names(["8.8.8.8"], ["127.0.0.1"])
    first, second = post("https://rebind.example.com/", WebhookCaller(resolver=resolver, network=network), times=2)

    assert network.asked == [("8.8.8.8", 443)]  # the address, not the name
    assert "nobody there" in (first.error or "")
    assert "127.0.0.1" in (second.error or "")


def test_local_calls_need_the_setting_and_reach_nothing_but_the_machine_itself() -> None:
    with receiving() as receiver:
        assert post(receiver.url, WebhookCaller())[0].status_code is None
        assert post(receiver.url, WebhookCaller(allows_local=True))[0].status_code == 200
        network = Network()
        inside = WebhookCaller(allows_local=True, resolver=names(["10.0.0.7"]), network=network)
        assert post("http://hooks.example.com:8080/", inside)[0].status_code is None
        assert network.asked == []
        assert len(receiver.received) == 1


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy, receiving() as receiver:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert post(receiver.url, WebhookCaller(allows_local=True))[0].status_code == 200
        assert proxy.received == []


def test_tls_asks_for_the_name_although_the_address_is_called(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "hooks.example.com")
    with receiving() as receiver:
        serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        serving.load_cert_chain(certificate, key)
        asked: list[str | None] = []
        serving.sni_callback = lambda _socket, name, _context: asked.append(name)
        encrypt(receiver, serving)
        trusting = ssl.create_default_context(cafile=str(certificate))

        def call(host: str, tls: ssl.SSLContext | None) -> Answer:
            caller = WebhookCaller(allows_local=True, resolver=names(["127.0.0.1"]), tls=tls)
            return post(f"https://{host}:{receiver.server_port}/hook", caller)[0]

        assert call("hooks.example.com", trusting).status_code == 200
        assert "CERTIFICATE_VERIFY_FAILED" in (call("other.example.com", trusting).error or "")
        assert "CERTIFICATE_VERIFY_FAILED" in (call("hooks.example.com", None).error or "")
    assert asked == ["hooks.example.com", "other.example.com", "hooks.example.com"]
    assert [one.headers["host"] for one in receiver.received] == [f"hooks.example.com:{receiver.server_port}"]


def encrypt(server: ThreadingHTTPServer, context: ssl.SSLContext) -> None:
    """Let a server speak TLS."""
    server.socket = context.wrap_socket(server.socket, server_side=True)


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the files of a certificate for a name, which is its own authority, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names_of_it = [x509.DNSName(name), x509.IPAddress(ip_address("192.0.2.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names_of_it), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths
