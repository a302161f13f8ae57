"""Which URLs webhooks may be sent to, as far as the URL alone tells; the address is looked at when it is called."""

import re
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tenor.webhooks.errors import UnsafeUrl
from tenor.webhooks.rules.addresses import is_loopback, is_public

URL_LENGTH_MAX: Final = 2_000
HTTPS_PORT: Final = 443
LOWEST_FREE_PORT: Final = 1_024
"""Below it are the ports of other services; only 443 of them is allowed."""

_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_NAME: Final = re.compile(rf"({_LABEL}\.)*{_LABEL}")
_PLAIN: Final = re.compile(r"[!-~]+")


class Target(NamedTuple):
    """The parts of an allowed URL that matter for the connection. An IPv6 `host` has no brackets."""

    scheme: str
    host: str
    port: int


def require_url(url: str, *, allows_local: bool = False) -> Target:
    """Return where a URL leads, if webhooks may be sent there.

    https to a name or a public address, port 443 or from 1024 on, without user, password or fragment. With
    `allows_local` also http, and the machine itself on any port: for development, by an explicit setting.

    Raises:
        UnsafeUrl: it is anything else.
    """
    if len(url) > URL_LENGTH_MAX or not _PLAIN.fullmatch(url) or "\\" in url:
        raise UnsafeUrl(f"a URL has 1 to {URL_LENGTH_MAX} visible ASCII characters and no backslash")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise UnsafeUrl(f"{url[:100]!r} is no URL: {error}") from None
    if parts.scheme != "https" and not (allows_local and parts.scheme == "http"):
        raise UnsafeUrl(f"{url[:100]!r} does not begin with https://")
    if "@" in parts.netloc or "#" in url:
        raise UnsafeUrl("a webhook URL holds no user, no password and no fragment")
    _require_host(host, allows_local=allows_local)
    if port is None:
        port = HTTPS_PORT if parts.scheme == "https" else 80
    if port != HTTPS_PORT and port < LOWEST_FREE_PORT and not allows_local:
        raise UnsafeUrl(f"port {port} belongs to another service; 443 and those from {LOWEST_FREE_PORT} on are allowed")
    return Target(parts.scheme, host, port)


def _require_host(host: str, *, allows_local: bool) -> None:
    """Refuse a host that is neither a name nor a plain public address.

    A name whose last label begins with a digit is an address written oddly ('127.1', '0x7f.1', '2130706433').
    """
    if is_public(host) or (allows_local and (is_loopback(host) or host == "localhost")):
        return
    last_label = host.rpartition(".")[2]
    if ":" in host or last_label[:1].isdigit() or not _NAME.fullmatch(host):
        raise UnsafeUrl(f"{host[:100]!r} is neither a host name nor a public address")
    if "." not in host or last_label in {"localhost", "local", "internal", "lan", "home", "arpa"}:
        raise UnsafeUrl(f"{host[:100]!r} is a name of a local network")
