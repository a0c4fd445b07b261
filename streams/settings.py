"""Settings, read from the environment with the prefix ``CAUDAL_``; see README for the table of them."""

import socket
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.catalog import ContextName

Positive = Annotated[int, Field(gt=0)]


class Settings(BaseSettings):
    """What a process needs to know of its surroundings."""

    model_config = SettingsConfigDict(env_prefix="CAUDAL_", frozen=True, extra="forbid")

    write_dsn: str = Field("postgresql://127.0.0.1:5432/caudal", description="PostgreSQL that holds the logs.")
    read_dsn: str | None = Field(None, description="PostgreSQL that holds the views; unset: where the logs are.")
    write_dsns: dict[str, str] = Field({}, description="A DSN of its own for a context's log, as JSON by `system.context`.")
    read_dsns: dict[str, str] = Field({}, description="The same for a context's views.")
    pool_size: Positive = Field(8, description="Connections of one process to one database, at most.")

    brokers: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, `host:port[,…]`.")
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
    relay_batch: Positive = Field(2000, description="Events that the relay reads at a time.")
    slice_records: Positive = Field(1000, description="Records of a partition that a subscription takes at a time.")
    attempts: Positive = Field(5, description="How often an event that cannot be applied is tried before it is parked.")
    max_dead_letters: Positive = Field(10_000, description="How many a subscription may have before it stands still.")
    stall_seconds: float = Field(
        3, gt=0, description="After how long without progress a subscription that lags reads on from the log itself."
    )

    signing_key: str | None = Field(
        None, description="PEM file with the Ed25519 key that signs the logs' heads; unset: none is."
    )
    retired_keys: list[Path] = Field([], description="PEM files, as a JSON list, of the public keys that signed before.")
    sign_seconds: float = Field(10, gt=0, description="How often the heads of logs that have grown are signed.")

    max_body_bytes: Positive = Field(1024 * 1024, description="Largest command body.")
    max_batch_bytes: Positive = Field(8 * 1024 * 1024, description="Largest batch of commands.")
    max_batch_lines: Positive = Field(1000, description="Most commands in a batch.")
    max_depth: Positive = Field(64, description="Deepest nesting of a command body.")
    max_attempts: Positive = Field(5, description="How often a command that lost a race is decided again.")
    aggregate_memory_bytes: Positive = Field(64 * 1024 * 1024, description="What aggregates may take of a process's memory.")
    receipts_days: Positive = Field(7, description="How long a repeated command is recognised, at least.")
    max_wait_seconds: float = Field(5, gt=0, description="How long a read may wait for its consistency token.")

    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

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
