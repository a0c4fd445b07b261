"""Declared view shapes: a view is a typed row with a key, kept as a PostgreSQL table of the read side."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from schemas.access import Access, RowAccess
from schemas.errors import Misconfigured


class View(BaseModel):
    """A read model's row.

    Declared as ``class Records(View, name="records", context="ingestion", key="data_id", indexes=(...))``. Fields may
    be ``str``, ``int``, ``float``, ``bool``, ``UUID``, ``datetime``, ``Literal`` strings, and lists or dicts (kept as
    JSON). Every field but the key has a default, because the events that fill a row may come in any order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    view_name: ClassVar[str]
    view_context: ClassVar[str]
    """The bounded context on whose read side the view lives."""
    view_key: ClassVar[str]
    view_indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Columns that are filtered or sorted by, each group one index."""
    view_access: ClassVar[Access | None] = None
    """Who may read it; ``None``: everybody."""
    view_rows: ClassVar[RowAccess | None] = None
    """Who sees which of its rows; ``None``: whoever may read it sees all."""
    view_subject: ClassVar[str | None] = None
    """Which column says whose its `Encrypted` fields are."""
    view_own_paths_only: ClassVar[bool] = False
    """Whether it is read on its system's own paths alone, which see to something that ``/views`` would not."""

    def __init_subclass__(
        cls,
        *,
        name: str,
        context: str,
        key: str,
        indexes: tuple[tuple[str, ...], ...] = (),
        access: Access | None = None,
        rows: RowAccess | None = None,
        subject: str | None = None,
        own_paths_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.view_name, cls.view_context, cls.view_key, cls.view_indexes = name, context, key, indexes
        cls.view_access, cls.view_rows, cls.view_subject = access, rows, subject
        cls.view_own_paths_only = own_paths_only

    def replace(self, **changes: Any) -> Self:
        """Returns a copy of the row with other values; raises `Misconfigured` if the view has no such field."""
        if unknown := changes.keys() - type(self).model_fields.keys():
            raise Misconfigured(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}: correct the projection.")
        return self.model_copy(update=changes)
