"""Sensitive data: nowhere in plain text, readable while keys change, and unreadable once its subject is erased."""

from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from schemas.partner_alliances.parts import partner_id_of
from tests.conftest import eventually
from tests.laboratory import Headers, recorded, signed_in
from tests.plain_text import files_with, records_with
from tests.stack import RunningStack, caudal, running_stack
from tests.verify import verify

PLAIN = (
    "Gregoria Plaintexto",
    "gregoria.plaintexto",
    "diagnosis-plaintexto",
    "password-plaintexto",
    "gregoria@plaintexto.example",
    "ES9121000418450200051332",
    "partner@plaintexto.example",
    "registered@plaintexto.example",
    "phone-plaintexto",
    "address-plaintexto",
    "document-plaintexto",
    "comment-plaintexto",
    "configuration-plaintexto",
)
ENVIRONMENT = {"CAUDAL_SYSTEMS": "clinical_lab,partner_alliances"}


async def test_sensitive_data_is_nowhere_in_plain_text_and_unreadable_once_its_subject_is_erased(tmp_path: Path) -> None:
    patient, username, diagnosis, password, email, iban, partners_mail, *of_registered = PLAIN
    async with running_stack("--data-dir", str(tmp_path / "data"), environment=ENVIRONMENT) as stack:
        clinician = await signed_in(stack, "dr", 1)
        user = {"username": username, "password": password, "email": email, "role": 2}
        created = await stack.commands.post("/users", json=user)
        subject = created.json()["user_id"]
        number, seen = await recorded(stack, clinician, patient=patient, patient_username=username, result=diagnosis)
        assert (await stack.queries.get(f"/results/{number}", headers={**clinician, **seen})).json()["result"] == diagnosis

        async def mailed() -> bool:
            return email in (await stack.caudal("mail"))[1]

        await eventually(mailed, 20, "mail")
        partner = await assessed(stack, iban, partners_mail)
        registered_partner = await registered(stack, *of_registered)
        await stack.fetch("checkpoint")
        token = clinician["Authorization"].removeprefix("Bearer ")
        keys = (tmp_path / "data" / "keys" / "master.keys").read_text().split()[1::2]
        assert_nowhere_in_the_clear(tmp_path / "data", (token, *keys))
        assert not await records_with(stack, PLAIN, [b"clinical_lab.ResultRecorded", b"partner_alliances.assess-contract"])
        clinician = await keys_are_changed(stack, clinician, number)

        events = await assert_found(stack, subject, has_key=True)
        erasure = {"subject": subject}
        denied = await stack.commands.post("/commands/engine/erase-subject", json=erasure, headers=clinician)
        assert denied.status_code == 403
        officer = stack.token("privacy_officer")
        done = await stack.commands.post("/commands/engine/erase-subject", json=erasure, headers=officer)
        assert (done.status_code, done.json()["events"]) == (201, ["SubjectErased"])
        for other in (partner, registered_partner):
            await stack.commands.post("/commands/engine/erase-subject", json={"subject": other}, headers=officer)
        await assert_erased(stack, clinician, number)
        assert await assert_found(stack, subject, has_key=False) == events, "the events stay"
        assert (await stack.commands.post("/login", json={"username": username, "password": password})).status_code == 401
        await assert_nothing_more_is_stored(stack, clinician, {"patient": patient, "patient_username": username})

        for view in ("clinical_lab.results", "clinical_lab.users", "partner_alliances.partners"):
            rebuilt = await stack.caudal("projections", "rebuild", view, "--apply")
            assert rebuilt[0] == 0, rebuilt
        await assert_erased(stack, clinician, number)
        shown = (await stack.queries.get(f"/views/clinical_lab/users/{subject}", headers=stack.token("auditor"))).json()
        assert (shown["username"], shown["email"], shown["role"]) == (None, None, "patient")
        listed = (await stack.queries.get("/users")).json()
        assert [one["username"] for one in listed if one["user_id"] == subject] == [None]
        partners = (await stack.queries.get("/partners", headers=stack.token("partner_manager"))).json()
        assert {(one["nombre"], one["correo"]) for one in partners} == {("Partner ABC", None), ("Registered", None)}
        shown = (await stack.queries.get(f"/api/v1/partners/{registered_partner}")).json()["partner"]
        assert [shown[name] for name in ("email", "telefono", "direccion", "documentos_kyc")] == [None] * 4
        assert shown["nombre"] == "Registered"
        await assert_no_plain_text_is_shown(stack, subject)
        await verify(stack)

        # A backup of the keys is restored: it is noticed, and repaired.
        brought_back = (
            "update caudal_keys.subject_keys set erased_at = null, (wrapped, master) = "
            "(select wrapped, master from caudal_keys.subject_keys where wrapped is not null limit 1) where subject = $1"
        )
        await stack.fetch(brought_back, subject)
        code, out, _ = await stack.caudal("verify", "log", "engine.privacy")
        assert (code, f"{subject} was erased and has a key, or could get one" in " ".join(out.split())) == (1, True)
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
    assert (await caudal("token-keys", "retire", str(keys / "tokens"), old, "--apply"))[0] == 0

    async def the_old_is_not() -> bool:
        return (await stack.queries.get(path, headers=clinician)).status_code == 401

    await eventually(the_old_is_not)
    master = keys / "master.keys"
    assert (await caudal("master-keys", "add", str(master)))[0] == 0
    code, out, _ = await stack.caudal("master-keys", "rewrap", "--apply")
    assert (code, "keys wrapped with the newest master key" in out) == (0, True)
    master.write_text(master.read_text().splitlines()[0])
    assert (await stack.queries.get(path, headers=fresh)).json()["result"] is not None
    return fresh


async def assessed(stack: RunningStack, iban: str, mail: str) -> str:
    """A partner whose account compliance has checked; returns the subject under whose key it is encrypted."""
    body = {"nombre": "Partner ABC", "tipo": "CORPORATIVO", "correo": mail, "cuenta_bancaria": {"iban": iban}}
    valid = (await stack.commands.post("/partners/validate", json=body)).json()
    assert {rule["regla"]: rule["cumple"] for rule in valid["reglas"]}["bank_account"]
    receipt = (await stack.commands.post("/partners", json=body)).json()

    async def judged() -> bool:
        headers = stack.token("compliance_officer")
        reports = (await stack.queries.get("/compliance/reportes", headers=headers)).json()
        partners = (await stack.queries.get("/partners", headers=headers)).json()
        verdicts = [rule["cumple"] for one in reports for rule in one["reglas"] if rule["regla"] == "bank_account"]
        return verdicts == [True] and [one["correo"] for one in partners] == [mail]

    await eventually(judged, 20, "the verdict on the account")
    return str(partner_id_of(UUID(receipt["partner_id_temporal"])))


async def registered(
    stack: RunningStack, mail: str, phone: str, address: str, document: str, comment: str, configuration: str
) -> str:
    """A partner with documents and an integration, as its clients see it; returns its id, under whose key it is encrypted."""
    body = {"nombre": "Registered", "email": mail, "telefono": phone, "direccion": address}
    path = f"/api/v1/partners/{(await stack.commands.post('/api/v1/partners', json=body)).json()['partner']['id']}"
    kyc = {"estado_kyc": "REQUIERE_DOCUMENTOS", "documentos": {"rut": document}, "comentarios": comment}
    assert (await stack.commands.put(f"{path}/kyc", json=kyc)).json()["partner"]["documentos_kyc"] == {"rut": document}
    integration = {"tipo": "API", "nombre": "Ads", "configuracion": {"key": configuration}}
    assert (await stack.commands.post(f"{path}/integraciones", json=integration)).status_code == 201

    async def shown() -> bool:
        found = (await stack.queries.get(path)).json().get("partner", {})
        return found.get("documentos_kyc") == {"rut": document} and len(found["integraciones"]) == 1

    await eventually(shown, 20, "the documents")
    return path.rpartition("/")[2]


async def assert_no_plain_text_is_shown(stack: RunningStack, subject: str) -> None:
    """Asserts that neither the audit nor the sagas show a plain text of an erased subject."""
    auditor = stack.token("auditor")
    for path in (
        f"/audit/clinical_lab/users/streams/user-{subject}",
        f"/audit/clinical_lab/users/states/user-{subject}",
        "/audit/partner_alliances/integrations/events",
        "/saga/logs",
        "/sagas",
    ):
        answer = await stack.queries.get(path, headers=auditor)
        assert answer.status_code == 200, answer.text
        for text in PLAIN:
            assert text not in answer.text, path


async def assert_nothing_more_is_stored(stack: RunningStack, clinician: Headers, patient: dict[str, str]) -> None:
    more = await stack.commands.post("/results", json={**patient, "result": "more"}, headers=clinician)
    assert (more.status_code, more.json()["detail"]) == (422, "the data subject was erased: none of its data can be stored")


async def assert_found(stack: RunningStack, subject: str, *, has_key: bool) -> Any:
    """Asserts that what is held of a patient is found, and nothing of somebody else; returns the events."""
    held = await held_of(stack, subject)
    assert held["has_key"] is has_key
    assert [(one["context"], one["type"], one["events"]) for one in held["events"]] == [
        ("clinical_lab.users", "UserCreated", 1),
        ("clinical_lab.results", "ResultRecorded", 1),
    ]
    assert {one["view"] for one in held["rows"]} == {f"clinical_lab.{name}" for name in ("users", "listed_users", "results")}
    assert await held_of(stack, "nobody") == {"has_key": False, "events": [], "rows": []}
    return held["events"]


async def held_of(stack: RunningStack, subject: str) -> dict[str, Any]:
    code, out, err = await stack.caudal("subjects", "find", subject, "--json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = orjson.loads(out)["answer"]
    return found


async def assert_erased(stack: RunningStack, clinician: Headers, number: int) -> None:
    shown = (await stack.queries.get(f"/results/{number}", headers=clinician)).json()
    assert (shown["number"], shown["patient"], shown["result"]) == (number, None, None)


def assert_nowhere_in_the_clear(folder: Path, secrets: tuple[str, ...]) -> None:
    """No file holds any of the texts or secrets; mail and keys, which are to hold them, apart."""
    assert list(files_with(folder, (*PLAIN, *secrets))) == []
    both = [{path.parts[0] for path, _ in files_with(folder, [text])} for text in ("ResultRecorded", "encrypted:1:")]
    assert both[0] & both[1] >= {"postgres", "broker"}, "the search finds the texts in the places that hold them"
