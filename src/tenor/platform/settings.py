"""Settings: the few things that the operator decides, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tenor.kernel.errors import Malformed

OPERATOR_KEY_LENGTH_MIN: Final = 32


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data lives. Without a `database_url`, an embedded PostgreSQL under `data_dir` holds it.

    `app_database_url` and `auditor_database_url` are logins of the roles `tenor_app` and
    `tenor_auditor` in the same database; without them the login of `database_url` takes these roles.
    `embedded_linger_seconds` is how long the embedded server outlives its last user. `tax_engine_url` is where
    tenants that take their rates from a tax engine have it asked, with `tax_engine_token` as bearer.
    `keys_file` holds the key-encryption keys of personal data; None is the file `keys` in `data_dir`.
    `clickhouse_url` is the HTTP interface of the ClickHouse that holds the usage of tenants that were relocated there.
    `operator_key` is the credential by which the operator calls the API; without one nobody is.
    `keys_file` holds the key-encryption keys of personal data; None is the file `keys` in `data_dir`. `broker_url` is
    where events are published; `allows_local_webhooks` lets webhooks go to this machine, and by http.
    """

    database_url: str | None = field(default=None, repr=False)  # may hold a password
    app_database_url: str | None = field(default=None, repr=False)
    auditor_database_url: str | None = field(default=None, repr=False)
    data_dir: Path = Path(".tenor")
    embedded_linger_seconds: float = 2.0
    tax_engine_url: str | None = field(default=None, repr=False)
    tax_engine_token: str | None = field(default=None, repr=False)
    keys_file: Path | None = None
    clickhouse_url: str | None = field(default=None, repr=False)
    operator_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.operator_key is not None and len(self.operator_key) < OPERATOR_KEY_LENGTH_MIN:
            raise Malformed(f"TENOR_OPERATOR_KEY has at least {OPERATOR_KEY_LENGTH_MIN} characters: make it by chance")

    broker_url: str | None = field(default=None, repr=False)
    allows_local_webhooks: bool = False

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read the `TENOR_…` variables; an empty one counts as unset.

        Raises:
            Malformed: `TENOR_EMBEDDED_LINGER_SECONDS` is not a number from 0 to 3600, or `TENOR_OPERATOR_KEY` is short.
        """
        return cls(
            database_url=environment.get("TENOR_DATABASE_URL") or None,
            app_database_url=environment.get("TENOR_APP_DATABASE_URL") or None,
            auditor_database_url=environment.get("TENOR_AUDITOR_DATABASE_URL") or None,
            data_dir=Path(environment.get("TENOR_DATA_DIR") or ".tenor"),
            embedded_linger_seconds=_linger(environment.get("TENOR_EMBEDDED_LINGER_SECONDS")),
            tax_engine_url=environment.get("TENOR_TAX_ENGINE_URL") or None,
            tax_engine_token=environment.get("TENOR_TAX_ENGINE_TOKEN") or None,
            keys_file=Path(environment["TENOR_KEYS_FILE"]) if environment.get("TENOR_KEYS_FILE") else None,
            clickhouse_url=environment.get("TENOR_CLICKHOUSE_URL") or None,
            operator_key=environment.get("TENOR_OPERATOR_KEY") or None,
            broker_url=environment.get("TENOR_BROKER_URL") or None,
            allows_local_webhooks=environment.get("TENOR_WEBHOOKS_ALLOW_LOCAL") == "1",
        )


def _linger(text: str | None) -> float:
    if not text:
        return 2.0
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise Malformed(f"TENOR_EMBEDDED_LINGER_SECONDS: {text!r} is not a number of seconds from 0 to 3600")
    return seconds
