"""The commands that another version knows, as `streams.commands.known_commands` has them."""


class Known:
    """The names that another version knows otherwise, and that has migrated the database."""

    def __init__(self, *others: str) -> None:
        self.names = set(others)

    async def others(self) -> set[str]:
        return self.names

    async def knows_saga_otherwise(self, saga: str) -> bool:
        return f"saga {saga}" in self.names
