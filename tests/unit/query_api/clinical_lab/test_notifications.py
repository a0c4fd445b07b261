"""The health of notifications."""

from query_api.clinical_lab.notifications import QUERIES
from tests.unit.query_api.clinical_lab.laboratory import asked


async def test_every_caller_may_ask_whether_notifications_answer() -> None:
    (question,) = QUERIES

    assert (await question.answer(asked(caller=None))).body.model_dump() == {"status": "ok"}
