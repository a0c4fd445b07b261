"""The log of the laboratory's sagas, as its clients know it."""

from query_api.clinical_lab.saga_entries import saga_entries
from schemas.clinical_lab.views import SagaEntries
from tests.unit.query_api.clinical_lab.laboratory import Views, asked


async def test_the_log_of_sagas_is_shown_in_the_clients_words_the_newest_first() -> None:
    context = asked()

    shown = [one.model_dump() for one in (await saga_entries(context)).body]

    same = {"data": {"number": 1}, "created_at": None}
    assert shown == [
        {"id": 9, "topic": "event-topic", "event_type": "ResultQueried", "status": "PROCESSED", **same},
        {"id": 4, "topic": "event-user", "event_type": "UserCreated", "status": "RECEIVED", **same},
    ]
    assert isinstance(context.views, Views)
    assert context.views.asked == [(SagaEntries, (("sort", "-position"),), 1000)]


async def test_a_request_may_sort_the_log_of_sagas_itself() -> None:
    context = asked("sort=event_type")

    await saga_entries(context)

    assert isinstance(context.views, Views)
    assert context.views.asked == [(SagaEntries, (), 1000)]
