"""Questions: answered by their handlers, to callers who may ask."""

import pytest
from pydantic import BaseModel

from query_api.queries.context import Answer, QueryContext
from query_api.queries.question import Question
from schemas.access import Access, Caller
from schemas.errors import Forbidden, Unauthenticated
from tests.unit.query_api.asking import request_of


class Weather(BaseModel):
    """The weather."""

    sunny: bool


async def weather(_: QueryContext) -> Answer:
    return Answer(Weather(sunny=True))


def context(caller: Caller | None) -> QueryContext:
    return QueryContext(request_of("/weather", caller=caller), None, None, {}, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("access", "caller", "error"),
    [
        (None, None, None),
        (Access(), None, Unauthenticated),
        (Access(), Caller("ana"), None),
        (Access.to("sailor"), Caller("ana"), Forbidden),
        (Access.to("sailor"), Caller("ana", frozenset({"sailor"})), None),
    ],
)
async def test_a_question_is_answered_to_callers_who_may_ask(
    access: Access | None, caller: Caller | None, error: type[Exception] | None
) -> None:
    question = Question("/weather", weather, Weather, "The weather.", access=access)

    if error is None:
        assert await question.answer(context(caller)) == Answer(Weather(sunny=True))
        return
    with pytest.raises(error):
        await question.answer(context(caller))
