"""Settings, read from the environment with the prefix ``CAUDAL_``; see README for the table of them."""

import socket
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.access import Access
from schemas.catalog import ContextName

Positive = Annotated[int, Field(gt=0)]


class Settings(BaseSettings):
    """What a process needs to know of its surroundings."""

    model_config = SettingsConfigDict(env_prefix="CAUDAL_", frozen=True, extra="forbid", hide_input_in_errors=True)

    systems: list[str] = Field([], description="Which of the installed systems run, as JSON; empty: all of them.")

    write_dsn: str = Field("postgresql://127.0.0.1:5432/caudal", description="PostgreSQL that holds the logs.")
    read_dsn: str | None = Field(None, description="PostgreSQL that holds the views; unset: where the logs are.")
    write_dsns: dict[str, str] = Field({}, description="A DSN of its own for a context's log, as JSON by `system.context`.")
    read_dsns: dict[str, str] = Field({}, description="The same for a context's views.")
    pool_size: Positive = Field(8, description="Connections of one process to one database, at most.")

    brokers: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, `host:port[,…]`.")
    fetch_backoff: bool = Field(
        False, description="Pause after an empty fetch that the broker answered at once; only the embedded broker needs it."
    )
    topic_prefix: str = Field("caudal", description="First part of every topic's name.")
    replication_factor: Positive = Field(1, description="Replicas of each topic that is created.")
    events_retention_hours: int = Field(-1, description="How long topics keep events; -1: for ever.")
    commands_retention_hours: int = Field(168, description="How long topics keep commands.")

    instance: str = Field(
        default_factory=socket.gethostname,
        description="This process's stable name: keeps its partitions over a restart. Unique among its kind.",
    )
    relay_lease_seconds: float = Field(10, gt=0, description="After how long a silent relay's logs are taken over.")
    relay_poll_seconds: float = Field(0.25, gt=0, description="How often the relay looks at a log without being woken.")
    relay_batch_events: Positive = Field(2000, description="Events that the relay reads at a time.")
    subscription_batch_records: Positive = Field(1000, description="Records of a partition per batch of a subscription.")
    dead_letter_attempts: Positive = Field(
        5, description="How often an event that cannot be applied is tried before it is parked."
    )
    max_dead_letters: Positive = Field(10_000, description="How many a subscription may have before it stands still.")
    stall_seconds: float = Field(
        3, gt=0, description="After how long without progress a subscription that lags reads on from the log itself."
    )

    signing_key: str | None = Field(
        None, description="PEM file with the Ed25519 key that signs the logs' heads; unset: none is."
    )
    retired_keys: list[Path] = Field([], description="PEM files, as a JSON list, of the public keys that signed before.")
    sign_seconds: float = Field(10, gt=0, description="How often the heads of logs that have grown are signed.")

    keys_dsn: str | None = Field(
        None, description="PostgreSQL that holds the data subjects' keys; unset: as `CAUDAL_WRITE_DSN`."
    )
    master_key_file: Path | None = Field(
        None, description="File with the keys that wrap the subjects' keys, a name and base64 a line, the newest first."
    )
    master_keys: SecretStr = Field(SecretStr(""), description="The same lines, in the environment itself.")

    token_keys: Path | None = Field(None, description="Folder with the keys of our own tokens; unset: none are issued.")
    token_issuer: str = Field("caudal", description="`iss` of our own tokens.")
    token_audience: str = Field("caudal", description="`aud` that every token must have.")
    token_seconds: Positive = Field(3600, description="How long our own tokens are good for.")
    oidc_issuer: str | None = Field(None, description="An outside OpenID Connect issuer, whose tokens are taken too.")
    oidc_algorithms: list[str] = Field(["RS256", "ES256", "EdDSA"], description="Algorithms of the outside issuer, as JSON.")
    oidc_roles_claim: str = Field("roles", description="The claim in which the outside issuer lists roles.")
    access: dict[str, Access] = Field(
        {},
        description="Roles and scopes in place of declared ones, as JSON by `command:…`, `view:…` or `audit:system.context`.",
    )
    rate_limits: dict[Literal["POST", "GET", "all"], str] = Field(
        {}, description='Requests of one caller to one route, as JSON: `{"POST": "60/minute", "all": "1000/hour"}`.'
    )
    trusted_proxies: str = Field(
        "", description="Addresses of proxies, `a,b/8`, whose `X-Forwarded-For` says who is calling; empty: nobody's does."
    )

    mail_url: SecretStr | None = Field(None, description="SMTP server, `smtp[s]://[user:password@]host:port`; unset: no mail.")
    mail_from: str = Field("caudal@localhost", description="Sender of mail.")
    mail_domain: str = Field("localhost", description="Domain of the mailboxes of users who gave no address.")

    max_body_bytes: Positive = Field(1024 * 1024, description="Largest command body.")
    max_batch_bytes: Positive = Field(8 * 1024 * 1024, description="Largest batch of commands.")
    max_batch_lines: Positive = Field(1000, description="Most commands in a batch.")
    max_depth: Positive = Field(64, description="Deepest nesting of a command body.")
    max_header_bytes: Positive = Field(32 * 1024, description="Most bytes of a request's head.")
    body_seconds: float = Field(20, gt=0, description="How long a request's head, and its body, may take to arrive.")
    conflict_retries: Positive = Field(5, description="How often a command that lost a race is decided again.")
    aggregate_memory_bytes: Positive = Field(64 * 1024 * 1024, description="What aggregates may take of a process's memory.")
    receipts_days: Positive = Field(7, description="How long a repeated command is recognised, at least.")
    max_live_views: Positive = Field(200, description="Live views that one process serves at a time; a tenth for one caller.")
    max_wait_seconds: float = Field(5, gt=0, description="How long a read may wait for its consistency token.")

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("mail_url")
    @classmethod
    def _is_a_mail_server(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not _names_a_mail_server(given.get_secret_value()):
            raise ValueError("should read like smtp[s]://[user:password@]host:port")
        return given

    @property
    def max_record_bytes(self) -> int:
        """Largest record of a topic: an event may be several times its command's body, whose ``1e15`` it writes out."""
        return 8 * self.max_body_bytes + 1024 * 1024

    def log_dsn(self, context: ContextName) -> str:
        """Where a context's log lives."""
        return self.write_dsns.get(str(context), self.write_dsn)

    def view_dsn(self, context: ContextName) -> str:
        """Where a context's views live."""
        return self.read_dsns.get(str(context), self.read_dsn or self.write_dsn)


def _names_a_mail_server(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("smtp", "smtps") and url.hostname is not None and url.port is not None
    except ValueError:
        return False
