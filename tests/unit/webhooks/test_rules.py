"""Signatures against published and foreign verifiers; the schedule; which URLs and addresses may be called."""

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
import standardwebhooks
import svix
from hypothesis import given, settings
from hypothesis import strategies as st

from tenor.webhooks.errors import MalformedEndpoint, UnsafeUrl
from tenor.webhooks.rules.addresses import is_loopback, is_public
from tenor.webhooks.rules.retrying import DELAYS_SECONDS, is_given_up, next_attempt_at, verdict_on
from tenor.webhooks.rules.signing import secret_key, secret_text, sign, signature_header, verify
from tenor.webhooks.rules.urls import require_url

SECRET: Final = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  of the published vector
NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_published_vector() -> None:
    signed = sign(
        secret_key(SECRET),
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert secret_text(secret_key(SECRET)) == SECRET
    assert secret_key(SECRET.removeprefix("whsec_")) == secret_key(SECRET)
    with pytest.raises(MalformedEndpoint):
        secret_key("whsec_not base64!")


@settings(max_examples=30, deadline=None)
@given(body=st.text(max_size=60).map(json.dumps).map(str.encode), key=st.binary(min_size=24, max_size=64))
def test_other_libraries_accept_our_signatures_and_we_theirs(body: bytes, key: bytes) -> None:
    now = datetime.now(UTC)
    stamp = int(now.timestamp())
    older = os.urandom(32)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(stamp),
        "webhook-signature": signature_header([key, older], message_id="evt_1", timestamp=stamp, body=body),
    }
    for live in (key, older):  # both secrets of a rotation
        for library in (standardwebhooks.Webhook, svix.Webhook):
            library(base64.b64encode(live).decode()).verify(body.decode(), headers)

    theirs = standardwebhooks.Webhook(secret_text(key)).sign("evt_1", now, body.decode())
    assert verify([older, key], theirs, message_id="evt_1", timestamp=stamp, body=body, now=stamp)
    assert not verify([older], theirs, message_id="evt_1", timestamp=stamp, body=body, now=stamp)
    assert not verify([key], theirs, message_id="evt_2", timestamp=stamp, body=body, now=stamp)
    assert not verify([key], theirs, message_id="evt_1", timestamp=stamp, body=body + b" ", now=stamp)


@pytest.mark.parametrize(
    ("header", "offset", "is_valid"),
    [
        ("{good}", 300, True),
        ("{good}", -300, True),
        ("{good}", 301, False),
        ("{good}", -301, False),
        ("v1,AAAA {good}", 0, True),
        ("v2,AAAA v1a,AAAA {good}", 0, True),
        ("v2{tail}", 0, False),
        ("{upper}", 0, False),
        ("", 0, False),
        ("v1", 0, False),
        ("v1,ünïcode\ud800", 0, False),
        ("v1,AAAA " * 20 + "{good}", 0, False),  # at most 20 are looked at
    ],
)
def test_what_a_header_is_worth(header: str, offset: int, is_valid: bool) -> None:
    key = secret_key(SECRET)
    good = sign(key, message_id="m", timestamp=1_000, body=b"x")
    text = header.format(good=good, tail=good.removeprefix("v1"), upper=good.upper())
    assert verify([key], text, message_id="m", timestamp=1_000, body=b"x", now=1_000 + offset) is is_valid


def test_the_schedule_is_the_published_one_with_up_to_a_tenth_more() -> None:
    # 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: together 75 h 35 min 5 s
    assert DELAYS_SECONDS == (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    assert sum(DELAYS_SECONDS) == 75 * 3600 + 35 * 60 + 5
    for retry_no, seconds in enumerate(DELAYS_SECONDS):
        waits = [next_attempt_at(NOW, tries=retry_no, message=bytes([number])) for number in range(50)]
        least, most = NOW + timedelta(seconds=seconds), NOW + timedelta(seconds=seconds) * 1.1
        assert all(at is not None and least <= at <= most for at in waits)
        assert seconds == 0 or len(set(waits)) > 40
    assert next_attempt_at(NOW, tries=10, message=b"") is None


def test_what_an_answer_means() -> None:
    assert [verdict_on(status).is_delivered for status in (200, 202, 204, 299)] == [True] * 4
    assert not any(verdict_on(status).is_delivered for status in (None, 100, 199, 300, 301, 302, 307, 400, 410, 500))
    assert [status for status in (None, 200, 404, 410, 500) if verdict_on(status).is_gone] == [410]
    assert not is_given_up(None, now=NOW)
    assert not is_given_up(NOW - timedelta(days=4, hours=23), now=NOW)
    assert is_given_up(NOW - timedelta(days=5), now=NOW)


INSIDE: Final = """
    0.0.0.0 10.1.2.3 100.64.0.1 100.100.100.200 127.0.0.1 127.1.2.3 168.63.129.16 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.192 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
    224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::7f00:1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1
    2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 fc00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1
    2606:4700::1111%eth0 nonsense 127.1 2130706433 0177.0.0.1 0x7f.1
""".split()
OUTSIDE: Final = "8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.0 172.32.0.1 2606:4700::1111 2a00:1450::1".split()


def test_which_addresses_are_public() -> None:
    assert [address for address in INSIDE if is_public(address)] == []
    assert [address for address in OUTSIDE if not is_public(address)] == []
    assert [address for address in INSIDE + OUTSIDE if is_loopback(address)] == ["127.0.0.1", "127.1.2.3", "::1"]


GOOD_URLS: Final = """
    https://hooks.example.com/tenor https://example.com https://example.com:8443/x?y=z https://8.8.8.8/ https://a-b.co
    https://xn--bcher-kva.example/ https://[2606:4700::1111]/hook https://EXAMPLE.com/
""".split()
BAD_URLS: Final = r"""
    http://example.com/ ftp://example.com/ //example.com/ https:///x https://u:p@example.com/ https://u@example.com/
    https://example.com/#x https://example.com\@evil.example/ https://exämple.com/ https://localhost/
    https://metadata.google.internal/ https://printer.local/ https://intranet/ https://127.0.0.1/ https://127.1/
    https://2130706433/ https://0177.0.0.1/ https://0x7f.1/ https://[::1]/ https://[::ffff:10.0.0.1]/
    https://[fe80::1%25eth0]/ https://169.254.169.254/latest https://10.0.0.1/ https://example.com./
    https://example.com:22/ https://example.com:80/ https://example.com:0/ https://example.com:99999/
    https://-x.example/ https://a..b/ https://[::1 https://1.2.3.4.5/ https://foo.127/
""".split()


def test_which_urls_are_allowed() -> None:
    for url in GOOD_URLS:
        assert require_url(url).scheme == "https"
    for url in (*BAD_URLS, "", "https://a.example/a b", "https://a.example/\n", "https://a.example/" + "x" * 2000):
        with pytest.raises(UnsafeUrl):
            require_url(url)

    assert require_url("http://127.0.0.1:80/x", allows_local=True) == ("http", "127.0.0.1", 80)
    assert require_url("http://localhost/", allows_local=True).host == "localhost"
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "ftp://127.0.0.1/", "http://127.1/"):
        with pytest.raises(UnsafeUrl):
            require_url(url, allows_local=True)
