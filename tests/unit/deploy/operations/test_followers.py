"""Who follows an event: views first, then policies."""

from deploy.operations.followers import Follower, followers_of_events
from schemas.data_ingestion.ingestion import DataIngested, DataReceived
from streams.discovery import installed_catalog


def test_an_event_has_the_views_and_the_policies_that_follow_it() -> None:
    found = followers_of_events(installed_catalog(["data_ingestion"]))

    assert Follower("data_ingestion.records", is_view=True) in found[DataReceived]
    assert [one.is_view for one in found[DataIngested]] == sorted((one.is_view for one in found[DataIngested]), reverse=True)
    assert str(Follower("a.b", is_view=False)) == "policy `a.b`"
