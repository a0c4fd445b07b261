"""The pages of a user, shown to the user alone; profiles to auditors, too."""

from typing import Any

import pytest

from query_api.clinical_lab.profiles import QUERIES, dashboard, profile, validate
from schemas.access import Caller
from schemas.clinical_lab.results import RecordResultQuery
from schemas.errors import CaudalError, Forbidden, Invalid, NotFound, Unauthenticated, Unavailable
from streams.http.request_context import context_of
from tests.unit.query_api.clinical_lab.laboratory import ANA, ANA_ID, AUDITOR, EVA, EVA_ID, RESULT, asked, sent

USER = {"id": 1, "user_id": ANA_ID, "username": "ana", "role": 1}


@pytest.mark.parametrize("named", ["1", str(ANA_ID)])
@pytest.mark.parametrize("caller", [ANA, AUDITOR])
async def test_a_profile_is_shown_to_its_user_and_to_auditors(named: str, caller: Caller) -> None:
    answer = await profile(asked(caller=caller, user_id=named))

    assert answer.body.model_dump() == {"user": USER, "certifications": {"role": 1, "allowed": False}}


async def test_the_header_may_have_an_underscore() -> None:
    context = asked()
    context_of(context.request).headers[b"user_id"] = "1"

    assert (await profile(context)).body.user.id == 1


async def test_patients_are_certified() -> None:
    answer = await profile(asked(caller=EVA, user_id="2"))

    assert answer.body.model_dump()["certifications"] == {"role": 2, "allowed": True}


@pytest.mark.parametrize("named", ["1", str(ANA_ID), "9", "nobody"])
async def test_nobody_elses_profile_is_there(named: str) -> None:
    for handler in (profile, dashboard):
        with pytest.raises(NotFound):
            await handler(asked(caller=EVA, user_id=named))


async def test_a_request_names_a_user() -> None:
    for handler in (profile, dashboard):
        with pytest.raises(Invalid, match="User-Id header is required"):
            await handler(asked())


async def test_a_dashboard_has_the_results_and_each_is_a_reading() -> None:
    context = asked(user_id="1")

    shown = (await dashboard(context)).body

    assert shown.user.model_dump() == USER
    assert [(one.id, one.result_id) for one in shown.items] == [(3, RESULT)]
    assert sent(context) == [(RecordResultQuery(result_id=RESULT, queried_by=ANA.subject), str(RESULT))]
    with pytest.raises(Unavailable):
        await dashboard(asked(user_id="1", broken=True))


async def test_an_auditor_sees_no_results() -> None:
    context = asked(caller=AUDITOR, user_id=str(EVA_ID))

    with pytest.raises(Forbidden):
        await dashboard(context)
    assert sent(context) == []


@pytest.mark.parametrize(("caller", "is_certified"), [(EVA, True), (ANA, False), (AUDITOR, False)])
async def test_a_caller_is_certified_by_the_role(caller: Caller, is_certified: bool) -> None:
    if is_certified:
        assert (await validate(asked(caller=caller))).body.model_dump() == {"allowed": True, "message": "Usuario autorizado"}
        return
    with pytest.raises(Forbidden):
        await validate(asked(caller=caller))


@pytest.mark.parametrize(
    ("path", "error", "status", "body"),
    [
        ("/user-profile", Invalid("User-Id header is required"), 400, {"error": "User-Id header is required"}),
        ("/dashboard", NotFound(), 404, {"error": "Usuario no encontrado"}),
        ("/dashboard", Unauthenticated(), 401, {"error": "Missing Authorization Header"}),
        ("/validate", Forbidden(), 403, {"allowed": False, "message": "Usuario no autorizado"}),
        ("/validate", Unauthenticated(), 401, {"allowed": False, "message": "Missing Authorization Header"}),
    ],
)
def test_errors_are_in_the_clients_words(path: str, error: CaudalError, status: int, body: dict[str, Any]) -> None:
    (question,) = (one for one in QUERIES if one.path == path)
    dialect = question.errors

    assert dialect is not None
    assert dialect.answer(error, error.detail).model_dump() == body
    assert dialect.status_of(error.kind, status) == status


@pytest.mark.parametrize("question", QUERIES, ids=lambda one: str(one.path))
async def test_every_page_of_a_user_needs_a_token(question: Any) -> None:
    with pytest.raises(Unauthenticated):
        await question.answer(asked(caller=None))
