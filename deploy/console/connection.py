"""What a command talks to: the stack that runs from a folder, or what the environment names."""

from pathlib import Path

from deploy.local.endpoints import running_stack
from schemas.errors import NotFound
from streams.settings import Settings


def connected(settings: Settings, data_dir: Path) -> Settings:
    """Settings that lead to the database that the environment names, else to the running stack.

    Raises `NotFound` where there is neither.
    """
    if "write_dsn" in settings.model_fields_set or "write_dsns" in settings.model_fields_set:
        return settings
    stack = running_stack(data_dir)
    if stack is not None:
        return stack.applied_to(settings)
    raise NotFound(f"no stack runs from {data_dir}; start one with `caudal up`, or name a database by CAUDAL_WRITE_DSN")
