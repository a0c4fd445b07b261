"""Whether the table of a view has the columns that the installed code declares."""

from schemas.system import ContextName
from schemas.view import View
from streams.database.store import Store
from streams.database.view_tables import definition, table_of


async def shape_problem(store: Store, home: ContextName, view: type[View]) -> str | None:
    """Returns what is wrong with the table of a view and what to do, or ``None``; ``store`` is the views' in ``home``."""
    found = await store.fetch_merged("version_definition", view.view_name)
    made = None if found is None else found["definition"]
    if made == "\n".join(definition(table_of(home, view))):
        return None
    name = f"{home.system}.{view.view_name}"
    if made is None:
        return f"the view {name} has no table: run `caudal migrate`"
    return f"the view {name} has other columns than its table: run `caudal projections rebuild {name} --apply`"
