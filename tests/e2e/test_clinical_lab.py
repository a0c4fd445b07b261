"""The clinical laboratory end to end: the calls of its clients on the whole stack, and who may not read what."""

from typing import Any
from uuid import uuid4

import pytest

from schemas.clinical_lab.users import user_id_of
from tests.conftest import eventually
from tests.laboratory import Headers, recorded, signed_in
from tests.stack import RunningStack


@pytest.fixture
def name() -> str:
    return f"u{uuid4().hex[:12]}"


async def test_the_clients_calls_give_what_they_are_used_to(stack: RunningStack, name: str) -> None:
    token = await signed_in(stack, name, 1)
    number, seen = await recorded(stack, token, patient="Paciente de Prueba", result="Resultado Positivo")

    found = await stack.queries.get(f"/results/{number}", headers={**token, **seen})
    assert found.status_code == 200, found.text
    shown = found.json()
    assert (shown["number"], shown["patient"], shown["result"]) == (number, "Paciente de Prueba", "Resultado Positivo")
    by_id = await stack.queries.get(f"/results/{shown['result_id']}", headers=token)
    assert by_id.json() == shown

    user, expected = str(user_id_of(name)), {"UserCreated", "NotificationRequested", "NotificationSent"}

    async def logged() -> bool:
        rows = (await stack.queries.get("/saga/logs", params={"reference_ids[has]": user}, headers=token)).json()
        return {row["event_type"] for row in rows} == expected and {row["step_label"] for row in rows} == {"HANDLED"}

    async def reading_logged() -> bool:
        wanted = {"reference_ids[has]": shown["result_id"], "event_type": "ResultQueried"}
        rows = (await stack.queries.get("/saga/logs", params=wanted, headers=token)).json()
        return len(rows) == 2 and all(row["payload"]["queried_by"] == user for row in rows)

    await eventually(logged, 20, "the saga log")
    await assert_the_log_in_the_clients_words(stack, user, shown["result_id"])
    everything = (await stack.queries.get("/saga/logs", headers=token)).json()
    assert everything
    assert all(row["reference_ids"] and {user, shown["result_id"]} >= set(row["reference_ids"]) for row in everything)
    await eventually(reading_logged, 20, "the readings in the saga log")
    _, mail, _ = await stack.caudal("mail")
    assert f"{name}@localhost  Bienvenido al laboratorio clínico" in mail
    assert f"Resultado {number} disponible" in mail
    assert "Resultado Positivo" not in mail


async def assert_the_log_in_the_clients_words(stack: RunningStack, user: str, result: str) -> None:
    """Asserts that the laboratory's own log shows events to every caller of the seed, and encrypted texts to nobody."""
    recorded: list[dict[str, Any]] = []

    async def is_logged() -> bool:
        rows = (await stack.queries.get("/clinical_lab/saga/logs")).json()
        assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
        recorded[:] = [row for row in rows if result == row["data"].get("result_id") or user == row["data"].get("user_id")]
        return {"UserCreated", "ResultRecorded", "ResultQueried"} <= {row["event_type"] for row in recorded}

    await eventually(is_logged, 20, "the log in the clients' words")
    by_type = {row["event_type"]: row for row in recorded}
    assert {row["topic"] for row in recorded if row["event_type"] != "UserCreated"} == {"event-topic"}
    assert by_type["UserCreated"]["topic"] == "event-user"
    assert [by_type["UserCreated"]["data"][name] for name in ("username", "password_hash", "number")][:2] == [None, None]
    assert (by_type["ResultRecorded"]["data"]["patient"], by_type["ResultRecorded"]["data"]["result"]) == (None, None)
    own = (await stack.queries.get("/clinical_lab/saga/logs", headers=stack.token("auditor"))).text
    assert "encrypted:1:" not in own


async def test_a_result_is_its_patients_and_its_clinicians_and_nobody_elses(stack: RunningStack, name: str) -> None:
    clinician, other = await signed_in(stack, name, 1), await signed_in(stack, f"{name}-other", 1)
    patient, stranger = await signed_in(stack, f"{name}-ana", 2), await signed_in(stack, f"{name}-eva", 2)
    number, seen = await recorded(stack, clinician, patient="Ana Paz", patient_username=f"{name}-ana", result="Negativo")

    for headers in (clinician, patient):
        found = await stack.queries.get(f"/results/{number}", headers={**headers, **seen})
        assert (found.status_code, found.json()["result"]) == (200, "Negativo")
        assert [row["number"] for row in (await stack.queries.get("/results", headers=headers)).json()] == [number]
    for headers in (other, stranger):
        assert (await stack.queries.get(f"/results/{number}", headers=headers)).status_code == 404
        assert (await stack.queries.get("/results", headers=headers)).json() == []
    await assert_sagas_are_their_owners(stack, clinician, stranger, f"{name}-eva")
    for path in (f"/results/{number}", "/results", "/views/clinical_lab/users", "/saga/logs", "/sagas"):
        nobody = await stack.queries.get(path)
        assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, 'Bearer realm="caudal"')
    for path in ("/views/clinical_lab/results", "/views/clinical_lab/results/live"):
        assert (await stack.queries.get(path, headers=clinician)).status_code == 404
    nobodys = {"patient": "x", "patient_username": f"{name}-nobody", "result": "y"}
    for _ in range(2):
        unknown = await stack.commands.post(
            "/results", json=nobodys, headers={**clinician, "Idempotency-Key": f"{name}-nobody"}
        )
        assert (unknown.status_code, unknown.json()["detail"]) == (422, "there is no user of the patient's name")
    assert (await stack.commands.post("/results", json={"patient": "x", "result": "y"})).status_code == 401
    assert (await stack.queries.get("/audit/clinical_lab/results/events", headers=clinician)).status_code == 403

    async def noted() -> bool:
        rows = (await stack.queries.get("/views/clinical_lab/result_queries", headers=patient)).json()
        return sorted(row["queried_by"] for row in rows) == sorted(
            [str(user_id_of(name))] * 2 + [str(user_id_of(f"{name}-ana"))] * 2
        )

    await eventually(noted, 20, "each reading noted")
    auditor = stack.token("auditor")
    events = (await stack.queries.get("/audit/clinical_lab/results/events", headers=auditor)).text
    assert "ResultRecorded" in events
    assert "Negativo" not in events


async def assert_sagas_are_their_owners(stack: RunningStack, owner: Headers, stranger: Headers, name: str) -> None:
    """Asserts that users see only the sagas that they started or take part in, and only their own row of the users."""
    theirs: list[dict[str, Any]] = []

    async def completed() -> bool:
        theirs[:] = (await stack.queries.get("/sagas", params={"saga": "clinical_lab.result"}, headers=owner)).json()
        return [one["status"] for one in theirs] == ["completed"]

    await eventually(completed, 30, "the owner's saga")
    path, eva = f"/sagas/{theirs[0]['saga_id']}", str(user_id_of(name))
    assert (await stack.queries.get(path, headers=owner)).json()["timeline"]
    assert (await stack.queries.get(path, headers=stranger)).status_code == 404
    for shown in ("/saga/logs", "/sagas"):
        rows = (await stack.queries.get(shown, headers=stranger)).json()
        assert rows
        assert all(row["reference_ids"] == [eva] for row in rows)
    users = (await stack.queries.get("/views/clinical_lab/users", headers=stranger)).json()
    assert [row["user_id"] for row in users] == [eva]
    async with stack.queries.stream(
        "GET", "/views/clinical_lab/users/live", headers={**stranger, "Last-Event-ID": "1"}
    ) as live:
        async for line in live.aiter_lines():
            if line.startswith("data:"):
                assert eva in line, "the first row that is shown is the stranger's own"
                break


async def test_the_list_of_users_is_recorded_and_has_no_secrets(stack: RunningStack, name: str) -> None:
    token = await signed_in(stack, name, 2)
    caller, auditor = str(user_id_of(name)), stack.token("auditor")

    async def is_listed() -> bool:
        rows = (await stack.queries.get("/users")).json()
        return bool(rows[-1]["username"] == name)  # the newest is the last

    await eventually(is_listed)
    shown = await stack.queries.get("/users", headers=token)
    assert all(one.keys() == {"id", "user_id", "username", "role"} for one in shown.json())
    assert (await stack.queries.get("/views/clinical_lab/listed_users", headers=token)).status_code == 404

    async def is_recorded() -> bool:
        log = (await stack.queries.get("/audit/clinical_lab/users/events?type=UsersListed", headers=auditor)).json()
        return (caller, len(shown.json())) in [(one["data"]["listed_by"], one["data"]["users"]) for one in log["events"]]

    await eventually(is_recorded, 20, "the listing")


async def test_a_dashboard_waits_for_the_write_of_a_token(stack: RunningStack, name: str) -> None:
    token = await signed_in(stack, name, 1)
    number, seen = await recorded(stack, token, patient="Paciente de Prueba", result="Positivo")
    named = {**token, "User-Id": str(user_id_of(name))}

    async def is_known() -> bool:
        return (await stack.queries.get("/user-profile", headers=named)).status_code == 200

    await eventually(is_known)
    shown = await stack.queries.get("/dashboard", headers={**named, **seen})

    assert (shown.status_code, [one["id"] for one in shown.json()["items"]]) == (200, [number])


async def test_a_password_is_the_right_one_or_none(stack: RunningStack, name: str) -> None:
    await signed_in(stack, name, 2)
    for body in ({"username": name, "password": "password3"}, {"username": f"{name}x", "password": "password2"}):
        rejected = await stack.commands.post("/login", json=body)
        assert (rejected.status_code, rejected.json()["detail"]) == (401, "there is no user with this name and password")
    again = await stack.commands.post("/users", json={"username": name.upper(), "password": "password9"})
    assert again.status_code == 409
    short = await stack.commands.post("/users", json={"username": f"{name}y", "password": "short"})
    assert (short.status_code, short.json()["errors"][0]["pointer"]) == (422, "/password")
    assert "short" not in short.json()["errors"][0]["detail"]


async def test_five_wrong_passwords_block_an_account_whether_or_not_it_exists(stack: RunningStack, name: str) -> None:
    await signed_in(stack, name, 2)

    said = []
    for username in (name, f"{name}x"):
        answers = [await stack.commands.post("/login", json={"username": username, "password": "password3"}) for _ in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 5 + [429]
        assert 290 < int(answers[-1].headers["retry-after"]) <= 300
        said.append(answers[-1].json()["detail"])
    right = await stack.commands.post("/login", json={"username": name, "password": "password2"})

    assert said[0] == said[1]
    assert right.status_code == 429


async def test_a_repeated_registration_is_the_same_one(stack: RunningStack, name: str) -> None:
    body = {"username": name, "password": "password2"}
    first = await stack.commands.post("/users", json=body, headers={"Idempotency-Key": name})
    again = await stack.commands.post("/users", json=body, headers={"Idempotency-Key": name})
    other = await stack.commands.post("/users", json={**body, "password": "password3"}, headers={"Idempotency-Key": name})

    assert (first.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first.json(), "true")
    assert (other.status_code, other.json()["type"]) == (422, "urn:caudal:problem:key-reused")


async def test_a_name_and_a_password_are_the_same_in_any_form_of_unicode(stack: RunningStack, name: str) -> None:
    composed, decomposed = f"{name}-jos\u00e9", f"{name}-jose\u0301"
    created = await stack.commands.post("/users", json={"username": composed, "password": "contrasen\u0303a"})
    again = await stack.commands.post("/users", json={"username": decomposed, "password": "password2"})
    login = await stack.commands.post("/login", json={"username": decomposed.upper(), "password": "contrase\u00f1a"})
    assert [created.status_code, again.status_code, login.status_code] == [201, 409, 200]

    clinician = await signed_in(stack, name, 1)
    number, seen = await recorded(stack, clinician, patient="José", patient_username=decomposed, result="Negativo")
    patient = {"Authorization": f"Bearer {login.json()['access_token']}"}
    assert (await stack.queries.get(f"/results/{number}", headers={**patient, **seen})).json()["result"] == "Negativo"

    invisible = await stack.commands.post("/users", json={"username": f"{name}\u200b", "password": "password2"})
    assert (invisible.status_code, invisible.json()["errors"][0]["pointer"]) == (422, "/username")
    assert "is not a user name that RFC 8265 allows" in invisible.json()["errors"][0]["detail"]
