"""The indexes of views and logs."""

from query_api.http.index import indexed_logs, indexed_views
from streams.discovery import installed_catalog

CATALOG = installed_catalog()


def test_every_view_that_is_read_under_its_name_is_listed() -> None:
    views = {(one.system, one.view): one for one in indexed_views(CATALOG)}

    records = views["data_ingestion", "records"]
    assert (records.path, records.live) == ("/views/data_ingestion/records", "/views/data_ingestion/records/live")
    assert records.key == "data_id"
    assert records.summary.startswith("One delivery")
    assert ("clinical_lab", "results") not in views, "it is read on the system's own paths"


def test_the_log_of_every_context_is_listed_with_its_events() -> None:
    logs = {f"{one.system}.{one.context}": one for one in indexed_logs(CATALOG)}

    assert logs.keys() == {str(name) for name in CATALOG.contexts}
    assert logs["data_ingestion.ingestion"].path == "/audit/data_ingestion/ingestion/events"
    assert logs["data_ingestion.ingestion"].events == ["DataReceived", "DataIngested"]
