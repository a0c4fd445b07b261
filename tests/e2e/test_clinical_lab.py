"""The clinical laboratory end to end: the calls of its clients on the whole stack, and who may not read what."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from schemas.catalog import Catalog
from schemas.clinical_lab.users import user_id_of
from streams.settings import Settings
from streams.token_keys import TokenKeys
from streams.topics import Topics
from tests.conftest import eventually
from tests.forged import FORGED
from tests.stack import ONE_SYSTEM, RunningStack, caudal, running_stack
from tests.verify import verify

Headers = Mapping[str, str]


async def signed_in(stack: RunningStack, username: str, role: int) -> Headers:
    """A new user, signed in."""
    created = await stack.commands.post("/users", json={"username": username, "password": "password2", "role": role})
    assert created.status_code == 201, created.text
    login = await stack.commands.post("/login", json={"username": username, "password": "password2"})
    assert (login.status_code, login.headers["cache-control"]) == (200, "no-store"), login.text
    return {"Authorization": f"Bearer {login.json()['access_token']}"}


async def recorded(stack: RunningStack, clinician: Headers, **body: str) -> tuple[int, Headers]:
    """A new result: its number, and what makes a read wait for it."""
    answer = await stack.commands.post("/results", json=body, headers=clinician)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], {"Consistency-Token": answer.headers["consistency-token"]}


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
        rows = (await stack.queries.get("/saga/logs", params={"real_id": user}, headers=token)).json()
        return {row["event_type"] for row in rows} == expected and {row["state"] for row in rows} == {"PROCESSED"}

    async def reading_logged() -> bool:
        wanted = {"real_id": shown["result_id"], "event_type": "ResultQueried"}
        rows = (await stack.queries.get("/saga/logs", params=wanted, headers=token)).json()
        return len(rows) == 2 and all(row["payload"]["queried_by"] == user for row in rows)

    await eventually(logged, 20, "the saga log")
    everything = (await stack.queries.get("/saga/logs", headers=token)).json()
    assert {user, shown["result_id"]} >= {row["real_id"] for row in everything} != set()
    await eventually(reading_logged, 20, "the readings in the saga log")
    _, mail, _ = await stack.caudal("mail")
    assert f"{name}@localhost  Bienvenido al laboratorio clínico" in mail
    assert f"Resultado {number} disponible" in mail
    assert "Resultado Positivo" not in mail


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
    refused = await stack.commands.post("/results", json={"patient": "x", "result": "y"}, headers=patient)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
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
    """Somebody sees the sagas of what they did and of themselves, and nothing else; of users they see themselves."""
    theirs: list[dict[str, Any]] = []

    async def completed() -> bool:
        theirs[:] = (await stack.queries.get("/sagas", params={"process": "clinical_lab.result"}, headers=owner)).json()
        return [one["status"] for one in theirs] == ["completed"]

    await eventually(completed, 30, "the owner's saga")
    path, eva = f"/sagas/{theirs[0]['saga_id']}", str(user_id_of(name))
    assert (await stack.queries.get(path, headers=owner)).json()["timeline"]
    assert (await stack.queries.get(path, headers=stranger)).status_code == 404
    for shown in ("/saga/logs", "/sagas"):
        rows = (await stack.queries.get(shown, headers=stranger)).json()
        assert rows
        assert {row["real_id"] for row in rows} == {eva}
    users = (await stack.queries.get("/views/clinical_lab/users", headers=stranger)).json()
    assert [row["user_id"] for row in users] == [eva]
    async with stack.queries.stream(
        "GET", "/views/clinical_lab/users/live", headers={**stranger, "Last-Event-ID": "1"}
    ) as live:
        async for line in live.aiter_lines():
            if line.startswith("data:"):
                assert eva in line, "the first row that is shown is the stranger's own"
                break


async def test_a_password_is_the_right_one_or_none(stack: RunningStack, name: str) -> None:
    await signed_in(stack, name, 2)
    for body in ({"username": name, "password": "password3"}, {"username": f"{name}x", "password": "password2"}):
        refused = await stack.commands.post("/login", json=body)
        assert (refused.status_code, refused.json()["detail"]) == (401, "there is no user with this name and password")
    again = await stack.commands.post("/users", json={"username": name.upper(), "password": "password9"})
    assert again.status_code == 409
    short = await stack.commands.post("/users", json={"username": f"{name}y", "password": "short"})
    assert (short.status_code, short.json()["errors"][0]["pointer"]) == (422, "/password")
    assert "short" not in short.json()["errors"][0]["detail"]


async def test_a_repeated_registration_is_the_same_one(stack: RunningStack, name: str) -> None:
    body = {"username": name, "password": "password2"}
    first = await stack.commands.post("/users", json=body, headers={"Idempotency-Key": name})
    again = await stack.commands.post("/users", json=body, headers={"Idempotency-Key": name})
    other = await stack.commands.post("/users", json={**body, "password": "password3"}, headers={"Idempotency-Key": name})

    assert (first.status_code, again.json(), again.headers["idempotent-replayed"]) == (201, first.json(), "true")
    assert (other.status_code, other.json()["type"]) == (422, "urn:caudal:problem:key-reused")


PLAIN = (
    "Gregoria Plaintexto",
    "gregoria.plaintexto",
    "diagnosis-plaintexto",
    "password-plaintexto",
    "gregoria@plaintexto.example",
    "ES9121000418450200051332",
    "partner@plaintexto.example",
)
SEALING = {"CAUDAL_SYSTEMS": '["clinical_lab", "partner_alliances"]'}


async def test_what_is_sensitive_is_nowhere_in_the_clear_and_gone_for_good_once_it_is_forgotten(tmp_path: Path) -> None:
    patient, username, diagnosis, password, email, iban, partners_mail = PLAIN
    async with running_stack("--data-dir", str(tmp_path / "data"), environment=SEALING) as stack:
        clinician = await signed_in(stack, "dr", 1)
        user = {"username": username, "password": password, "email": email}
        created = await stack.commands.post("/users", json=user)
        subject = created.json()["id"]
        number, seen = await recorded(stack, clinician, patient=patient, patient_username=username, result=diagnosis)
        assert (await stack.queries.get(f"/results/{number}", headers={**clinician, **seen})).json()["result"] == diagnosis

        async def mailed() -> bool:
            return email in (await stack.caudal("mail"))[1]

        await eventually(mailed, 20, "mail")
        temporary_id = await assessed(stack, iban, partners_mail)
        await stack.fetch("checkpoint")
        token = clinician["Authorization"].removeprefix("Bearer ")
        keys = (tmp_path / "data" / "keys" / "master.keys").read_text().split()[1::2]
        assert_nowhere_in_the_clear(tmp_path / "data", (token, *keys))
        assert not await on_topics(stack, PLAIN)
        clinician = await keys_are_changed(stack, clinician, number)

        forget = {"subject": subject}
        denied = await stack.commands.post("/commands/engine/forget-subject", json=forget, headers=clinician)
        assert denied.status_code == 403
        officer = stack.token("privacy_officer")
        done = await stack.commands.post("/commands/engine/forget-subject", json=forget, headers=officer)
        assert (done.status_code, done.json()["events"]) == (201, ["SubjectForgotten"])
        await stack.commands.post("/commands/engine/forget-subject", json={"subject": temporary_id}, headers=officer)
        await assert_forgotten(stack, clinician, number)
        login = await stack.commands.post("/login", json={"username": username, "password": password})
        assert login.status_code == 401
        body = {"patient": patient, "patient_username": username, "result": "more"}
        more = await stack.commands.post("/results", json=body, headers=clinician)
        assert (more.status_code, more.json()["detail"]) == (422, "nothing can be kept of a subject that was forgotten")

        for view in ("clinical_lab.results", "clinical_lab.users", "partner_alliances.partners"):
            rebuilt = await stack.caudal("projections", "rebuild", view)
            assert rebuilt[0] == 0, rebuilt
        await assert_forgotten(stack, clinician, number)
        shown = (await stack.queries.get(f"/views/clinical_lab/users/{subject}", headers=stack.token("auditor"))).json()
        assert (shown["username"], shown["email"], shown["role"]) == (None, None, "patient")
        partners = (await stack.queries.get("/partners", headers=stack.token("partner_manager"))).json()
        assert [(one["nombre"], one["correo"]) for one in partners] == [("Partner ABC", None)]
        await assert_no_plain_text_is_told(stack, subject)
        await verify(stack)

        # Somebody plays a backup of the keys in: it is noticed, and mended.
        brought_back = (
            "update caudal_keys.subject_keys set forgotten_at = null, (wrapped, master) = "
            "(select wrapped, master from caudal_keys.subject_keys where wrapped is not null limit 1) where subject = $1"
        )
        await stack.fetch(brought_back, subject)
        code, out, _ = await stack.caudal("verify", "log", "engine.privacy")
        assert (code, f"{subject} was forgotten and has a key, or could get one" in " ".join(out.split())) == (1, True)
        assert (await stack.caudal("verify", "--repair"))[0] == 0
        await verify(stack)


async def keys_are_changed(stack: RunningStack, clinician: Headers, number: int) -> Headers:
    """Both kinds of keys are changed while everything runs; what was made under older ones stays good until they are retired.

    Returns the clinician's new token.
    """
    keys, path = stack.data_dir / "keys", f"/results/{number}"
    (old,) = (file.stem for file in (keys / "tokens").glob("*.json"))
    assert (await caudal("token-keys", "add", str(keys / "tokens")))[0] == 0

    async def both_are_published() -> bool:
        return len((await stack.commands.get("/.well-known/jwks.json")).json()["keys"]) == 2

    await eventually(both_are_published)
    login = await stack.commands.post("/login", json={"username": "dr", "password": "password2"})
    fresh = {"Authorization": f"Bearer {login.json()['access_token']}"}

    async def both_are_good() -> bool:
        return all([(await stack.queries.get(path, headers=token)).status_code == 200 for token in (clinician, fresh)])

    await eventually(both_are_good)
    assert (await caudal("token-keys", "retire", str(keys / "tokens"), old))[0] == 0

    async def the_old_is_not() -> bool:
        return (await stack.queries.get(path, headers=clinician)).status_code == 401

    await eventually(the_old_is_not)
    master = keys / "master.keys"
    assert (await caudal("master-keys", "add", str(master)))[0] == 0
    code, out, _ = await stack.caudal("master-keys", "rewrap")
    assert (code, "keys wrapped anew" in out) == (0, True)
    master.write_text(master.read_text().splitlines()[0])
    assert (await stack.queries.get(path, headers=fresh)).json()["result"] is not None
    return fresh


async def assessed(stack: RunningStack, iban: str, mail: str) -> str:
    """A partner whose account compliance has looked at; returns the subject under whose key it is sealed."""
    body = {"nombre": "Partner ABC", "tipo": "CORPORATIVO", "correo": mail, "cuenta_bancaria": {"iban": iban}}
    valid = (await stack.commands.post("/partners/validate", json=body)).json()
    assert {rule["regla"]: rule["cumple"] for rule in valid["reglas"]}["bank_account"]
    told = (await stack.commands.post("/partners", json=body)).json()

    async def judged() -> bool:
        headers = stack.token("compliance_officer")
        reports = (await stack.queries.get("/compliance/reportes", headers=headers)).json()
        partners = (await stack.queries.get("/partners", headers=headers)).json()
        verdicts = [rule["cumple"] for one in reports for rule in one["reglas"] if rule["regla"] == "bank_account"]
        return verdicts == [True] and [one["correo"] for one in partners] == [mail]

    await eventually(judged, 20, "the verdict on the account")
    return str(told["partner_id_temporal"])


async def assert_no_plain_text_is_told(stack: RunningStack, subject: str) -> None:
    """Neither the audit nor the sagas show anything of somebody who is forgotten."""
    auditor = stack.token("auditor")
    for path in (
        f"/audit/clinical_lab/users/streams/user-{subject}",
        f"/audit/clinical_lab/users/states/user-{subject}",
        "/audit/partner_alliances/integrations/events",
        "/saga/logs",
        "/sagas",
    ):
        told = await stack.queries.get(path, headers=auditor)
        assert told.status_code == 200, told.text
        for text in PLAIN:
            assert text not in told.text, path


async def assert_forgotten(stack: RunningStack, clinician: Headers, number: int) -> None:
    shown = (await stack.queries.get(f"/results/{number}", headers=clinician)).json()
    assert (shown["number"], shown["patient"], shown["result"]) == (number, None, None)


def assert_nowhere_in_the_clear(folder: Path, secrets: tuple[str, ...]) -> None:
    """No file holds any of the texts or secrets; mail and keys, which are to hold them, apart."""
    found: set[str] = set()
    for path in (path for path in folder.rglob("*") if path.is_file()):
        place = path.relative_to(folder).parts[0]
        if place in ("mail", "keys"):
            continue
        content = path.read_bytes()
        for text in (*PLAIN, *secrets):
            assert not is_in(content, text), f"{text} is in {path.relative_to(folder)}"
        if is_in(content, "ResultRecorded") and is_in(content, "sealed:1:"):
            found.add(place)
    assert found >= {"postgres", "broker"}, "what is looked for would be found where it is kept"


def is_in(content: bytes, text: str) -> bool:
    """Whether a file holds a text, also as the embedded broker keeps it: one number a byte."""
    return text.encode() in content or ",".join(map(str, text.encode())).encode() in content


async def on_topics(stack: RunningStack, texts: tuple[str, ...]) -> list[Any]:
    """Records of events, commands or dead letters that hold one of the texts."""
    catalog = Catalog.installed(stack.endpoints["systems"])
    names = Topics(Settings(), catalog)
    topics = [topic(context) for context in catalog.contexts for topic in (names.events, names.commands, names.dead_letters)]
    consumer = AIOKafkaConsumer(*topics, bootstrap_servers=stack.endpoints["brokers"], auto_offset_reset="earliest")
    await consumer.start()
    try:
        records = [one for batch in (await consumer.getmany(timeout_ms=3000)).values() for one in batch]
    finally:
        await consumer.stop()
    kinds = {dict(record.headers).get("ce_type") for record in records}
    assert {b"ResultRecorded", b"partner_alliances.assess-contract"} <= kinds, kinds
    return [record for record in records if any(text.encode() in (record.value or b"") for text in texts)]


@pytest.mark.parametrize("name", FORGED)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
async def test_neither_api_believes_a_forged_token(stack: RunningStack, name: str) -> None:
    token = FORGED[name](TokenKeys(stack.data_dir / "keys" / "tokens"))
    headers = {b"Authorization": b"Bearer " + token.encode("latin-1")}
    calls = (stack.queries.get("/sagas", headers=headers), stack.commands.post("/ingest", json={}, headers=headers))
    for answer in await asyncio.gather(*calls):
        assert answer.status_code == 401, answer.text
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("path", ["/results/1", "/results", "/views/clinical_lab/users", "/views/engine/sagas"])
async def test_a_token_that_cannot_be_believed_opens_nothing(stack: RunningStack, path: str) -> None:
    good = stack.token("auditor")["Authorization"]
    head, claims, signature = good.removeprefix("Bearer ").split(".")
    for token in (f"{head}.{claims}.", f"{head}.{claims}.{signature[::-1]}", "x", f"{claims}.{claims}.{signature}"):
        refused = await stack.queries.get(path, headers={"Authorization": f"Bearer {token}"})
        assert (refused.status_code, refused.json()["status"]) == (401, 401), token
        assert 'error="invalid_token"' in refused.headers["www-authenticate"]
    other = await stack.queries.get(path, headers={"Authorization": "Basic dXNlcjpwYXNz"})
    assert other.status_code == 401


async def test_the_keys_of_tokens_are_published(stack: RunningStack) -> None:
    answer = await stack.commands.get("/.well-known/jwks.json")

    (key,) = answer.json()["keys"]
    assert (key["kty"], key["crv"], "d" in key) == ("OKP", "Ed25519", False)


async def test_one_who_floods_is_held_back_and_the_others_are_served() -> None:
    limits = '{"POST": "5/hour", "GET": "3/hour"}'
    access = '{"view:data_ingestion.records": {"roles": ["reader"]}}'
    async with running_stack(environment={"CAUDAL_RATE_LIMITS": limits, "CAUDAL_ACCESS": access, **ONE_SYSTEM}) as stack:
        headers, calm = stack.token("reader"), stack.token("reader", name="calm")
        body = {"partner_id": "p", "payload": {"n": 1}}
        flood = [await stack.commands.post("/ingest", json=body, headers=headers) for _ in range(8)]
        assert [answer.status_code for answer in flood] == [201] * 5 + [429] * 3
        assert flood[0].headers["ratelimit-policy"] == '"POST-3600";q=5;w=3600'
        assert flood[0].headers["ratelimit"].startswith('"POST-3600";r=4;t=')
        held_back = flood[-1]
        assert 3000 < int(held_back.headers["retry-after"]) <= 3600
        assert held_back.headers["ratelimit"].startswith('"POST-3600";r=0;')
        assert held_back.json()["type"] == "urn:caudal:problem:too-many-requests"

        assert (await stack.commands.post("/ingest", json=body, headers=calm)).status_code == 201
        assert (
            await stack.commands.post("/commands/data_ingestion/receive-data", json=body, headers=headers)
        ).status_code == 201
        reads = [await stack.queries.get("/query/all", headers=headers) for _ in range(4)]
        assert [answer.status_code for answer in reads] == [200] * 3 + [429]
        assert (await stack.queries.get("/query/all", headers=calm)).status_code == 200
        assert (await stack.queries.get("/query/all")).status_code == 401

        forged = {"Authorization": "Bearer x.y.z"}
        guesses = [await stack.queries.head("/query/all", headers=forged) for _ in range(3)]
        assert [answer.status_code for answer in guesses] == [401] * 2 + [429], "the address had one of three already"

        # What was counted is counted for every process: also for one that has just begun.
        stack.kill("command-api")

        async def back() -> bool:
            try:
                return (await stack.commands.get("/readyz")).status_code == 200
            except httpx.HTTPError:
                return False

        await eventually(back, 30, "the command API")
        assert (await stack.commands.post("/ingest", json=body, headers=headers)).status_code == 429
