"""Where each policy stands in each partition of the context that it follows; kept beside that context's log."""

from schemas.catalog import ContextName
from streams.postgres import Databases, log_schema, statement
from streams.settings import Settings


class PolicyCheckpoints:
    """The checkpoints of policies."""

    def __init__(self, settings: Settings, databases: Databases) -> None:
        self._settings, self._databases = settings, databases

    async def position(self, context: ContextName, policy: str, partition: int) -> int:
        """The position up to which every command has its receipt; 0 for none."""
        async with self._databases.connection(self._settings.log_dsn(context)) as connection:
            sql = statement("policy_checkpoint", log_schema(context))
            return await connection.fetchval(sql, policy, partition) or 0

    async def move(self, context: ContextName, policy: str, partition: int, position: int) -> None:
        """Moves a checkpoint forward; never back."""
        async with self._databases.connection(self._settings.log_dsn(context)) as connection:
            await connection.execute(statement("policy_checkpoint_move", log_schema(context)), policy, partition, position)
