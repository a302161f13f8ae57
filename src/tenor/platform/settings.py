"""Settings: the few things that the operator decides, read once from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tenor.kernel.errors import Malformed

OPERATOR_KEY_LENGTH_MIN: Final = 32


def _from(variable: str, words: str) -> dict[str, str]:
    """Return what a field of the settings says of itself: the variable that it comes from, and what it is for."""
    return {"variable": variable, "words": words}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator decides. What may hold a secret is not shown."""

    database_url: str | None = field(
        default=None,
        repr=False,
        metadata=_from(
            "TENOR_DATABASE_URL",
            "the login that migrates, on PostgreSQL 15 or later; without it, a server that comes along is used",
        ),
    )
    app_database_url: str | None = field(
        default=None,
        repr=False,
        metadata=_from(
            "TENOR_APP_DATABASE_URL",
            "a login of the role `tenor_app` in the same database; without it, the first login takes that role",
        ),
    )
    auditor_database_url: str | None = field(
        default=None,
        repr=False,
        metadata=_from("TENOR_AUDITOR_DATABASE_URL", "the same for the role `tenor_auditor`, which reads all tenants"),
    )
    data_dir: Path = field(
        default=Path(".tenor"),
        metadata=_from("TENOR_DATA_DIR", "where keys are kept, and what the server that comes along holds"),
    )
    embedded_linger_seconds: float = field(
        default=2.0, metadata=_from("TENOR_EMBEDDED_LINGER_SECONDS", "how long it outlives its last user: 0 to 3600")
    )
    keys_file: Path | None = field(
        default=None,
        metadata=_from(
            "TENOR_KEYS_FILE",
            "the keys of personal data, of which you keep a copy; by default the file `keys` in the data directory",
        ),
    )
    operator_key: str | None = field(
        default=None,
        repr=False,
        metadata=_from(
            "TENOR_OPERATOR_KEY",
            "the credential by which tenants are created over HTTP, of 32 characters or more; without it nobody may",
        ),
    )
    broker_url: str | None = field(
        default=None, repr=False, metadata=_from("TENOR_BROKER_URL", "where `tenor relay` publishes events")
    )
    allows_local_webhooks: bool = field(
        default=False,
        metadata=_from("TENOR_WEBHOOKS_ALLOW_LOCAL", "`1` lets webhooks go to this machine, and by http; to develop"),
    )
    tax_engine_url: str | None = field(
        default=None,
        repr=False,
        metadata=_from("TENOR_TAX_ENGINE_URL", "the engine that is asked by tenants that take their rates from one"),
    )
    tax_engine_token: str | None = field(
        default=None, repr=False, metadata=_from("TENOR_TAX_ENGINE_TOKEN", "the bearer token for it")
    )
    clickhouse_url: str | None = field(
        default=None,
        repr=False,
        metadata=_from("TENOR_CLICKHOUSE_URL", "the HTTP interface of the ClickHouse that keeps relocated usage"),
    )

    def __post_init__(self) -> None:
        if self.operator_key is not None and len(self.operator_key) < OPERATOR_KEY_LENGTH_MIN:
            raise Malformed(f"TENOR_OPERATOR_KEY has at least {OPERATOR_KEY_LENGTH_MIN} characters: make it by chance")

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
