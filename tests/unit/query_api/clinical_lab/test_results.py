"""Results of the laboratory: found by number or id, and shown only once the reading is sent."""

import pytest

from query_api.clinical_lab.results import result, results
from schemas.errors import NotFound, Unavailable
from tests.unit.query_api.clinical_lab.laboratory import ANA, NUMBERED, RESULT, asked, sent


@pytest.mark.parametrize("result_id", ["3", str(RESULT)])
async def test_a_result_is_found_by_its_number_and_by_its_id(result_id: str) -> None:
    context = asked(result_id=result_id)

    answer = await result(context)

    assert answer.body == {**NUMBERED, "id": 3}
    ((command, key),) = sent(context)
    assert (command.result_id, command.queried_by, key) == (RESULT, ANA.subject, str(RESULT))


@pytest.mark.parametrize("result_id", ["4", "x", "3" * 19])
async def test_a_result_that_is_not_there_is_not_found_and_no_reading_is_sent(result_id: str) -> None:
    context = asked(result_id=result_id)

    with pytest.raises(NotFound):
        await result(context)
    assert sent(context) == []


async def test_each_result_of_a_page_is_a_reading() -> None:
    context = asked()

    assert (await results(context)).body == [{**NUMBERED, "id": 3}]
    assert len(sent(context)) == 1


async def test_nothing_is_shown_if_the_reading_cannot_be_sent() -> None:
    for handler in (result, results):
        with pytest.raises(Unavailable):
            await handler(asked(result_id="3", broken=True))
