"""Declared view shapes: a view is a typed row with a key, kept as a PostgreSQL table of the read side."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from schemas.access import Access, RowAccess
from schemas.errors import Misconfigured
from schemas.message import words_of
from schemas.values.tuples import check_tuple


class View(BaseModel):
    """A read model's row.

    Declared as ``class Records(View, context="ingestion", key="data_id", indexes=("partner_id", ...))``. Its name is derived
    (``SagaLog`` is ``saga_log``); ``name="..."`` pins another one. Fields may be ``str``, ``int``, ``float``, ``bool``,
    ``UUID``, ``datetime``, ``date``, ``Literal`` strings, ``tuple[str, ...]`` (an array, filtered by ``[has]``), and lists,
    dicts and models (kept as JSON). Every field but the key has a default, because the events that fill a row may come in
    any order. There is no decimal: keep money as an integer of its smallest unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    view_name: ClassVar[str]
    view_context: ClassVar[str]
    """The bounded context whose read side holds the view."""
    view_key: ClassVar[str]
    view_indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Columns that are filtered or sorted by, each group one index."""
    view_access: ClassVar[Access | None] = None
    """Who may read it; ``None``: every caller."""
    view_rows: ClassVar[RowAccess | None] = None
    """Which callers see which rows; ``None``: every reader sees all rows."""
    view_subject: ClassVar[str | None] = None
    """The column that names the data subject of its `Encrypted` fields."""
    view_own_paths_only: ClassVar[bool] = False
    """Whether it is read only on its system's own paths, and not under ``/views``."""

    def __init_subclass__(
        cls,
        *,
        context: str,
        key: str,
        name: str | None = None,
        indexes: tuple[str | tuple[str, ...], ...] = (),
        access: Access | None = None,
        rows: RowAccess | None = None,
        subject: str | None = None,
        own_paths_only: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        check_tuple(f"the view {cls.__name__}", "indexes", indexes)
        cls.view_name, cls.view_context, cls.view_key = name or words_of(cls.__name__, "_"), context, key
        cls.view_indexes = tuple((group,) if isinstance(group, str) else group for group in indexes)
        cls.view_access, cls.view_rows, cls.view_subject = access, rows, subject
        cls.view_own_paths_only = own_paths_only

    def replace(self, **changes: Any) -> Self:
        """Returns the row with other values in some fields, which are not validated.

        Raises `Misconfigured` if the view has no such field.
        """
        if not changes.keys() <= vars(self).keys():  # `model_fields` would take longer than the copy
            unknown = ", ".join(sorted(changes.keys() - vars(self).keys()))
            raise Misconfigured(f"{type(self).__name__} has no field {unknown}: correct the projection.")
        return self.model_copy(update=changes)
