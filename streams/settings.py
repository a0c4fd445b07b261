"""Settings, read from environment variables with the prefix ``CAUDAL_``; docs/production.md has a table of them.

An empty variable counts as unset.
"""

import re
import socket
from collections.abc import Iterable
from difflib import get_close_matches
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from schemas.access import Access
from schemas.errors import Misconfigured
from schemas.system import ContextName

PREFIX = "CAUDAL_"
_HOST = re.compile(r"[a-z0-9.-]+|\[[0-9a-f:.]+\]")
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
_SOURCE = re.compile(_ORIGIN.pattern + r"/([!$&-;=@-Z_a-z~]+/)*")


def _separated(text: str) -> list[str]:
    """Returns the parts of a text that commas separate, without blanks around them."""
    return [part for part in map(str.strip, text.split(",")) if part]


def _names(given: object) -> object:
    """Returns the names in a text that a variable or a document has."""
    return _separated(given) if isinstance(given, str) else given


Positive = Annotated[int, Field(gt=0)]
NotNegative = Annotated[int, Field(ge=0)]
RateLimited = Annotated[str, Field(pattern=r"^(all|POST|GET|(POST|GET|PUT|PATCH|DELETE) /[!#-\[\]-~]*)$")]
"""The requests that a rate limit is for: all, those that write, those that read, or those of one method to one path."""
Names = Annotated[list[str], NoDecode, BeforeValidator(_names)]
"""Names, as texts separated by commas."""
_NOT_SETTINGS = {"CAUDAL_CONTEXT", "CAUDAL_TOKEN"}
"""Variables with the prefix that other parts read: the recorder of the package `eventsourcing`, and `caudal load`."""


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    systems: Names = Field([], description="Installed systems to run, `clinical_lab,data_ingestion`; empty: all.")
    contexts: Names = Field(
        [],
        description="Contexts that a worker, relay or projectors process serves, `clinical_lab.users,…`; empty: all.",
    )

    write_dsn: str = Field("postgresql://127.0.0.1:5432/caudal", description="PostgreSQL database of the logs.")
    read_dsn: str | None = Field(None, description="PostgreSQL database of the views; unset: that of the logs.")
    write_dsns: dict[str, str] = Field(
        {},
        description="Databases of single contexts' logs, as JSON by `system.context`; they override `CAUDAL_WRITE_DSN`.",
        examples=['{"data_ingestion.validation": "postgresql://host:5432/name"}'],
    )
    read_dsns: dict[str, str] = Field(
        {},
        description="Databases of single contexts' views, as JSON by `system.context`; they override `CAUDAL_READ_DSN`.",
        examples=['{"data_ingestion.ingestion": "postgresql://host:5432/name"}'],
    )
    pool_size: Positive = Field(
        8, description="Largest number of connections in a pool; a process has one or two pools for each database."
    )

    brokers: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, `host:port[,…]`.")
    fetch_backoff: bool = Field(
        False, description="Pause after an empty fetch that the broker answered at once; only the embedded broker needs it."
    )
    broker_timeout_seconds: float = Field(
        10, gt=0, description="Seconds within which the broker must answer or acknowledge; then its client is replaced."
    )
    broker_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] | None = Field(
        None,
        description="Security protocol; unset: `SASL_SSL` with a mechanism, `SSL` with a CA or certificate, else `PLAINTEXT`.",
    )
    broker_ca_file: Path | None = Field(
        None, description="PEM file with the authorities that sign the brokers' certificates; unset: those of the system."
    )
    broker_certificate_file: Path | None = Field(
        None, description="PEM file with the certificate of the clients, for mutual TLS; unset: they have none."
    )
    broker_key_file: Path | None = Field(None, description="PEM file with the private key of that certificate, not encrypted.")
    broker_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] | None = Field(
        None, description="SASL mechanism; unset: the clients do not authenticate by SASL."
    )
    broker_user: str | None = Field(None, description="User for `PLAIN` and `SCRAM`; a cloud may call it the API key.")
    broker_password: SecretStr | None = Field(None, description="Password of that user.")
    broker_password_file: Path | None = Field(
        None, description="File with the password, if it is not in `CAUDAL_BROKER_PASSWORD`; read again for each client."
    )
    broker_token_command: SecretStr | None = Field(
        None, description="Command that prints a token for `OAUTHBEARER`; it is run without a shell for each connection."
    )
    topic_prefix: str = Field("caudal", description="First part of every topic's name.")
    replication_factor: Positive = Field(1, description="Replicas of each topic that is created.")
    events_retention_hours: int = Field(-1, description="Hours for which topics keep events; -1: without limit.")
    commands_retention_hours: int = Field(168, description="Hours for which topics keep commands; -1: without limit.")

    instance: str = Field(
        default_factory=socket.gethostname,
        description="Stable name of this process, unique among processes of its kind: it keeps its partitions over a restart.",
    )
    relay_lease_seconds: float = Field(10, gt=0, description="Seconds after which another relay takes a silent relay's logs.")
    relay_poll_interval_seconds: float = Field(
        0.25, gt=0, description="Seconds between two looks at a log that sends the relay no wake-up."
    )
    relay_batch_events: Positive = Field(2000, description="Largest number of events that the relay publishes at a time.")
    subscription_batch_records: Positive = Field(
        1000, description="Largest number of a partition's records that a subscription handles at a time."
    )
    dead_letter_attempts: Positive = Field(
        5, description="Attempts to apply a failing event before it waits for an operator as a dead letter."
    )
    max_dead_letters: Positive = Field(
        10_000, description="Largest number of open dead letters of a subscription; at the limit it is blocked."
    )
    stall_seconds: float = Field(
        3, gt=0, description="Seconds without progress after which a subscription that lags reads from the log itself."
    )

    signing_key: str | None = Field(
        None, description="PEM file with the private Ed25519 key that signs the heads of logs; unset: heads are not signed."
    )
    retired_signing_keys: list[Path] = Field(
        [],
        description="PEM files with the public keys that signed heads before, as a JSON list.",
        examples=['["/keys/public-2025.pem"]'],
    )
    signing_interval_seconds: float = Field(10, gt=0, description="Seconds between two signatures of a log that grows.")

    keys_dsn: str | None = Field(
        None, description="PostgreSQL database of the data subjects' keys; unset: that of `CAUDAL_WRITE_DSN`."
    )
    master_key_file: Path | None = Field(
        None, description="File with the keys that wrap the subjects' keys, a name and base64 a line, the newest first."
    )
    master_keys: SecretStr = Field(SecretStr(""), description="The content of such a file, if there is no file.")

    token_keys: Path | None = Field(
        None, description="Folder with the keys that sign this deployment's tokens; unset: no tokens are issued."
    )
    token_issuer: str = Field("caudal", description="`iss` of this deployment's tokens.")
    token_audience: str = Field("caudal", description="`aud` that every accepted token must have.")
    token_lifetime_seconds: Positive = Field(3600, description="Seconds for which this deployment's tokens are valid.")
    oidc_issuer: str | None = Field(None, description="External OpenID Connect issuer whose tokens are accepted as well.")
    oidc_algorithms: list[str] = Field(
        ["RS256", "ES256", "EdDSA"],
        description="Signature algorithms of the external issuer, as JSON.",
        examples=['["RS256"]'],
    )
    oidc_roles_claim: str = Field(
        "roles", description="Claim in which the external issuer lists roles: a name, or a path such as `realm_access.roles`."
    )
    profile: Literal["closed", "seed"] = Field(
        "closed", description="`seed`, for trying: what declares no access needs no token. Otherwise it needs any valid one."
    )
    access: dict[str, Access | None] = Field(
        {},
        description=(
            "Roles and scopes that override declared ones, as JSON by `command:…`, `view:…` or `audit:system.context`; "
            "null opens it to every caller."
        ),
        examples=['{"view:data_ingestion.records": {"roles": ["reader"]}}'],
    )
    rate_limits: dict[RateLimited, str] = Field(
        {},
        description=(
            "Requests of one caller to one route, as JSON: "
            '`{"POST": "60/minute", "POST /login": "10/minute", "all": "1000/hour"}`.'
        ),
        examples=['{"POST": "60/minute", "POST /login": "10/minute", "all": "1000/hour"}'],
    )
    sign_in_failures: NotNegative = Field(
        5, description="Failed sign-ins of one account after which it is blocked; 0: without limit."
    )
    sign_in_failures_per_address: NotNegative = Field(
        50, description="Failed sign-ins from one address after which it is blocked; 0: without limit."
    )
    sign_in_block_seconds: Positive = Field(
        300, description="Seconds for which failed sign-ins are counted, and for which an account or an address is blocked."
    )
    password_threads: Positive = Field(2, description="Passwords that one process hashes at a time, each with 64 MiB.")
    password_places: Positive = Field(
        64, description="Sign-ins that wait for their turn in one process; and as many registrations."
    )
    page_code: SecretStr | None = Field(
        None, description="Code in the address that signs in to the operator's page; the local stack alone sets it."
    )
    allowed_hosts: str = Field(
        "", description="Hosts, `api.example.org,127.0.0.1`, that requests may name in `Host`; others get 421. Empty: any host."
    )
    trusted_proxies: str = Field(
        "", description="Addresses of proxies, `a,b/8`, whose `X-Forwarded-For` names the client; empty: none is trusted."
    )

    schema_registry_url: str = Field(
        "", description="Schema registry with Confluent's API for the integration topics; empty: this deployment's own."
    )
    schema_registry_user: SecretStr | None = Field(None, description="User of that registry, `name:password`.")
    integration_prefix: str = Field("", description="Begins the names of all integration topics.")

    command_apis: str = Field(
        "http://127.0.0.1:5001", description="Instances of the command API behind a gateway, `http://a:5001,http://b:5001`."
    )
    query_apis: str = Field(
        "http://127.0.0.1:5002", description="Instances of the query API behind a gateway, `http://a:5002,http://b:5002`."
    )
    gateways: dict[str, str] = Field(
        {},
        description="Addresses of gateways that a sidecar or a live page calls, as JSON by their names; others are on their "
        "own ports of this machine.",
        examples=['{"flight_reservations": "http://gateway:5000"}'],
    )
    gateway_timeout_seconds: float = Field(
        60, gt=0, description="Seconds for which a gateway waits for the next byte of an API's answer."
    )
    cors_origins: str = Field(
        "",
        description="Origins whose pages may call a gateway or open a live page's socket, `https://a.example,…`; `*`: any; "
        "empty: none.",
    )

    mail_url: SecretStr | None = Field(
        None, description="SMTP server, `smtp[s]://[user:password@]host:port`; unset: no mail is sent."
    )
    mail_from: str = Field("caudal@localhost", description="Sender of mail.")
    mail_domain: str = Field("localhost", description="Domain of the mailboxes of users without an address.")
    mail_operator: str = Field("", description="Address of the operator, who gets mail about datasets; empty: none.")

    files_url: str | None = Field(
        None,
        description="Place of files, `file:///folder` or `s3://bucket/prefix`; unset: systems that keep files reject them.",
    )
    file_sources: list[str] = Field(
        [],
        description="Beginnings of the URLs from which systems may fetch files, as JSON; empty: none is fetched.",
        examples=['["https://pacs.example.org/studies/"]'],
    )
    file_source_networks: str = Field(
        "", description="Inner addresses, `10.1.2.3,10.2.0.0/16`, that these sources may have; empty: public ones alone."
    )
    max_file_bytes: Positive = Field(64 * 1024 * 1024, description="Largest file that is uploaded or fetched, in bytes.")
    demo_failures: float = Field(
        0, ge=0, le=1, description="Share of steps of some sagas that fail, to see their compensation; `0.25`: a quarter."
    )

    max_body_bytes: Positive = Field(1024 * 1024, description="Largest body of a command, in bytes.")
    max_body_depth: Positive = Field(64, description="Deepest nesting of a command's body.")
    max_command_batch_bytes: Positive = Field(8 * 1024 * 1024, description="Largest body of a batch of commands, in bytes.")
    max_command_batch_lines: Positive = Field(1000, description="Largest number of commands in a batch.")
    max_header_bytes: Positive = Field(32 * 1024, description="Largest request line with its headers, in bytes.")
    max_request_arrival_seconds: float = Field(
        20, gt=0, description="Seconds within which a request's headers must arrive, and again its body."
    )
    keep_alive_seconds: float = Field(
        90, gt=0, description="Seconds for which an idle connection is kept: longer than a proxy in front keeps it."
    )
    conflict_retries: Positive = Field(5, description="Attempts to decide a command again that conflicts with another one.")
    state_cache_bytes: Positive = Field(64 * 1024 * 1024, description="Memory of a process for states of streams, in bytes.")
    receipts_days: Positive = Field(7, description="Minimum number of days for which a repeated command is recognised.")
    max_requests_in_progress: Positive = Field(
        256,
        description="Requests that one process of an API answers at a time; further ones get 503 with `Retry-After`. "
        "So many commands of batches are handled at a time as well.",
    )
    max_query_seconds: float = Field(
        5,
        gt=0,
        description="Longest time of a query of a view, in seconds; one without an index may need more, and is rejected.",
    )
    max_live_views: Positive = Field(
        200,
        description="Live views and logs of one process at a time (a caller gets a tenth), and sockets of each live page.",
    )
    max_consistency_wait_seconds: float = Field(
        5, gt=0, description="Longest wait of a read for its consistency token, in seconds."
    )

    ready_seconds: float = Field(
        60,
        gt=0,
        description="Seconds without progress after which `caudal up` gives up a process that is not ready.",
    )
    max_ready_seconds: float = Field(
        600, gt=0, description="Seconds within which `caudal up` expects a process to be ready after its dependencies."
    )

    log_format: Literal["text", "json"] = Field("text", description="Format of log lines: `text` or `json`.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level of log lines: `debug`, `info`, `warning` or `error`."
    )

    @field_validator("allowed_hosts")
    @classmethod
    def _are_hosts(cls, given: str) -> str:
        hosts = [host.lower() for host in _separated(given)]
        if not all(map(_HOST.fullmatch, hosts)):
            raise ValueError("should read like api.example.org,127.0.0.1: hosts without ports")
        return ",".join(hosts)

    @field_validator("command_apis", "query_apis", "cors_origins")
    @classmethod
    def _are_origins(cls, given: str, info: ValidationInfo) -> str:
        origins = [origin.rstrip("/") for origin in _separated(given)]
        if origins == ["*"] and info.field_name == "cors_origins":
            return given
        if not all(map(_ORIGIN.fullmatch, origins)) or not (origins or info.field_name == "cors_origins"):
            raise ValueError("should read like https://a.example,http://127.0.0.1:5001: origins without paths")
        return ",".join(origins)

    @field_validator("file_sources")
    @classmethod
    def _are_sources(cls, given: list[str]) -> list[str]:
        if not all(map(_SOURCE.fullmatch, given)):
            raise ValueError("should read like https://pacs.example.org/studies/: origins with a path that ends with a slash")
        return given

    @field_validator("file_source_networks")
    @classmethod
    def _are_networks(cls, given: str) -> str:
        for one in _separated(given):
            ip_network(one)  # its error says what is wrong
        return given

    @field_validator("mail_url")
    @classmethod
    def _is_a_mail_server(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None and not _names_a_mail_server(given.get_secret_value()):
            raise ValueError("should read like smtp[s]://[user:password@]host:port")
        return given

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _Environment(settings_cls)

    @property
    def max_record_bytes(self) -> int:
        """Largest record of a topic: an event may be several times as large as its command, which may abbreviate ``1e15``."""
        return 8 * self.max_body_bytes + 1024 * 1024

    def log_dsn(self, context: ContextName) -> str:
        """Returns the database of a context's log."""
        return self.write_dsns.get(str(context), self.write_dsn)

    def view_dsn(self, context: ContextName) -> str:
        """Returns the database of a context's views."""
        return self.read_dsns.get(str(context), self.read_dsn or self.write_dsn)


class _Environment(EnvSettingsSource):
    """The environment; a value that should be JSON and is not raises `Misconfigured` with the variable and an example."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError as error:
            example = f", such as {field.examples[0]}" if field.examples else ""
            raise Misconfigured(f"{PREFIX}{field_name.upper()} is not JSON: set it to JSON{example}") from error


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """Returns a warning for each variable that has the prefix and is no setting, with the nearest setting's name."""
    known = [f"{PREFIX}{name.upper()}" for name in Settings.model_fields]
    warnings = []
    for name in sorted(environment):
        if name.upper().startswith(PREFIX) and name.upper() not in {*known, *_NOT_SETTINGS}:
            nearest = get_close_matches(name.upper(), known, n=1)
            hint = f"did you mean {nearest[0]}?" if nearest else "docs/production.md lists all settings"
            warnings.append(f"{name} is not a setting and has no effect: {hint}")
    return warnings


def _names_a_mail_server(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("smtp", "smtps") and url.hostname is not None and url.port is not None
    except ValueError:
        return False
