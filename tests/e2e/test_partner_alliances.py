"""Partner alliances end to end: the calls of its clients on the whole stack."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest

from tests.conftest import eventually
from tests.partners import partner
from tests.stack import RunningStack

CLIENTS = {"Accept": "*/*"}
"""The header of clients that know no problem documents."""
SAGA_LOGS = "/partner_alliances/saga/logs"


@pytest.fixture(autouse=True, scope="module")
async def sanctions(stack: RunningStack) -> None:
    answer = await stack.commands.put(
        "/compliance/sanciones",
        json={"nombres": ["Iván Petróv", "Evil Corp."]},
        headers=stack.token("compliance_officer"),
    )
    assert answer.status_code in (200, 201), answer.text


async def requested(stack: RunningStack, body: dict[str, Any]) -> dict[str, Any]:
    answer = await stack.commands.post("/partners", json=body)
    assert answer.status_code == 201, answer.text
    receipt = answer.json()
    assert receipt["estado"] == "INICIADA"
    return dict(receipt)


async def saga(stack: RunningStack, saga_id: str, state: str, seconds: float = 30) -> dict[str, Any]:
    """The saga, once it has this state."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        answer = await stack.queries.get(f"/sagas/{saga_id}", headers=stack.token("operator"))
        found.clear()
        found.update(answer.json())
        return answer.status_code == 200 and found["label"] == state

    try:
        await eventually(there, seconds, f"the saga {state}")
    except AssertionError:
        raise AssertionError(f"not {state}: {found}") from None
    return found


async def shown(stack: RunningStack, path: str, **expected: Any) -> dict[str, Any]:
    """Returns the answer of a path once it is as expected."""
    found: dict[str, Any] = {}

    async def there() -> bool:
        answer = await stack.queries.get(path, headers=stack.token("compliance_officer"))
        found.clear()
        found.update(answer.json())
        return answer.status_code == 200 and expected.items() <= found.items()

    await eventually(there, 20, f"{expected} at {path}")
    return found


def steps(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(entry["event_type"], entry["step_label"]) for entry in found["timeline"] if entry["kind"] == "event"]


async def test_a_partner_leads_by_itself_to_a_contract_and_is_active(stack: RunningStack) -> None:
    receipt = await requested(stack, partner())

    found = await saga(stack, receipt["saga_id"], "COMPLETADA")

    assert steps(found) == [
        ("PartnerRequested", "PROCESADO"),
        ("PartnerCreated", "PROCESADO"),
        ("ContractCreated", "PROCESADO"),
        ("ContractApproved", "PROCESADO"),
        ("ContractActivated", "PROCESADO"),
        ("PartnerActivated", "PROCESADO"),
    ]
    assert (found["references"]["temporary_id"], found["references"]["partner_id"]) == (
        receipt["partner_id_temporal"],
        found["state"]["partner_id"],
    )
    path = f"/partners/{found['references']['partner_id']}"
    await shown(stack, path, estado="ACTIVO", nombre="Partner ABC", tipo="CORPORATIVO")
    contract = await shown(stack, f"/contratos/{found['references']['contract_id']}", estado="ACTIVO")
    assert contract["cumple_reglas"] is True
    account = f"/views/partner_alliances/financial_accounts/{found['references']['partner_id']}"
    await shown(stack, account, state="active")
    wanted = {"saga_id": receipt["saga_id"], "kind": "event"}
    logs = (await stack.queries.get("/saga/logs", params=wanted, headers=stack.token("auditor"))).json()
    assert {entry["event_type"] for entry in logs} == {name for name, _ in steps(found)}
    assert all(entry["payload"] and entry["handled_at"] for entry in logs)
    of_saga = {"saga_id": receipt["saga_id"]}
    shown_to_clients = (await stack.queries.get(SAGA_LOGS, params=of_saga, headers=stack.token("auditor"))).json()
    assert [(one["tipo_evento"], one["estado_procesamiento"]) for one in reversed(shown_to_clients)] == [
        ("CreatePartner", "PROCESADO"),
        ("PartnerCreated", "PROCESADO"),
        ("ContratoCreado", "PROCESADO"),
        ("ContratoAprobado", "PROCESADO"),
        ("ContractActivated", "PROCESADO"),
        ("PartnerActivated", "PROCESADO"),
    ]
    assert {one["partner_id"] for one in shown_to_clients} == {found["references"]["partner_id"]}
    assert (await stack.queries.get(SAGA_LOGS)).status_code == 401
    assert (await stack.queries.get(SAGA_LOGS, params=of_saga, headers=stack.token("clinician"))).json() == []
    campaign = {"partner_id": found["references"]["partner_id"], "nombre": "Primavera", "presupuesto_centavos": 5000}
    dates = {"fecha_inicio": "2030-01-01", "fecha_fin": "2030-02-01"}

    async def admitted() -> bool:
        return (await stack.commands.post("/campanas", json={**campaign, **dates})).status_code == 201

    await eventually(admitted, 20, "the campaign")


async def test_a_second_partner_of_one_tax_number_is_none(stack: RunningStack) -> None:
    body = partner()
    await saga(stack, (await requested(stack, body))["saga_id"], "COMPLETADA")

    found = await saga(stack, (await requested(stack, body))["saga_id"], "FALLIDA")

    assert "the tax number" in found["reason"]
    assert ("PartnerCreationFailed", "PROCESADO") in steps(found)
    path = f"/partners/{found['references']['partner_id']}"
    assert (await stack.queries.get(path)).status_code == 401
    assert (await stack.queries.get(path, headers=stack.token("clinician"))).status_code == 403
    assert (await stack.queries.get(path, headers=stack.token("partner_manager"))).status_code == 404


async def test_a_contract_that_cannot_be_has_the_partner_withdrawn(stack: RunningStack) -> None:
    body = partner(producto="LOTTERY")

    found = await saga(stack, (await requested(stack, body))["saga_id"], "FALLIDA")

    assert "no product LOTTERY" in found["reason"]
    await shown(stack, f"/partners/{found['references']['partner_id']}", estado="RETIRADO")
    contract = {"partner_id": found["references"]["partner_id"], "fecha_inicio": "2026-01-01"}
    assert "is withdrawn" in (await stack.commands.post("/contratos", json=contract)).json()["detail"]
    # Its tax number is free again.
    again = await requested(stack, {**body, "producto": "REFERRAL"})
    await saga(stack, again["saga_id"], "COMPLETADA")


@pytest.mark.parametrize(("approved", "state", "contract"), [(True, "COMPLETADA", "ACTIVO"), (False, "FALLIDA", "RECHAZADO")])
async def test_an_officer_decides_on_what_compliance_rejects(
    stack: RunningStack, approved: bool, state: str, contract: str
) -> None:
    receipt = await requested(stack, partner(nombre="Petrov, Ivan"))
    found = await saga(stack, receipt["saga_id"], "PENDIENTE_REVISION")
    path = f"/contratos/{found['references']['contract_id']}"
    await shown(stack, path, estado="RECHAZADO", en_revision=True, cumple_reglas=False)
    assert "sanctions: 100 % similar to" in found["reason"]

    body, officer = {"aprobado": approved, "motivo": "visto"}, stack.token("compliance_officer")
    assert (await stack.commands.post(f"{path}/revision", json=body)).status_code == 401
    answer = await stack.commands.post(f"{path}/revision", json=body, headers=officer)

    assert answer.status_code == 200, answer.text
    found = await saga(stack, receipt["saga_id"], state)
    await shown(stack, path, estado=contract, en_revision=False)
    await shown(stack, f"/partners/{found['references']['partner_id']}", estado="ACTIVO" if approved else "RETIRADO")
    assert (await stack.commands.post(f"{path}/revision", json=body, headers=officer)).status_code == 422


async def test_a_mailbox_is_that_of_one_partner_also_if_two_register_at_once(stack: RunningStack) -> None:
    bodies = [{"nombre": name, "email": f"{uuid4().hex}@example.org"} for name in ("uno", "dos")]
    same = [{**body, "email": bodies[0]["email"]} for body in bodies * 3]

    client = stack.commands
    answers = await asyncio.gather(*(client.post("/api/v1/partners", json=body, headers=CLIENTS) for body in same))

    assert sorted(answer.status_code for answer in answers) == [201, *[409] * 5]
    kept = {**bodies[1], "email": bodies[0]["email"].upper()}
    assert (await client.post("/api/v1/partners", json=kept, headers=CLIENTS)).json()["codigo"] == "EMAIL_EXISTENTE"
    (first,) = (answer.json()["partner"]["id"] for answer in answers if answer.status_code == 201)
    path = f"/api/v1/partners/{first}"
    assert (await client.put(path, json={"email": bodies[1]["email"]})).status_code == 200

    async def free() -> bool:
        return (await client.post("/api/v1/partners", json=kept, headers=CLIENTS)).status_code == 201

    await eventually(free, 20, "the mailbox that the partner has left")
    assert (await client.put(path, json={"email": bodies[0]["email"]}, headers=CLIENTS)).status_code == 409
    key = {"Idempotency-Key": uuid4().hex}
    repeated = [await client.put(path, json={"email": kept["email"]}, headers={**CLIENTS, **key}) for _ in range(2)]
    assert [answer.json()["codigo"] for answer in repeated] == ["EMAIL_EXISTENTE"] * 2


async def test_a_registered_partner_is_onboarded_and_its_deletion_ends_its_contracts(stack: RunningStack) -> None:
    body = {"nombre": "jose", "email": f"{uuid4().hex}@example.org"}
    id = (await stack.commands.post("/api/v1/partners", json=body)).json()["partner"]["id"]
    wanted, operator = {"reference_ids[has]": id, "saga": "partner_alliances.onboarding"}, stack.token("operator")
    found: list[dict[str, Any]] = []

    async def under_revision() -> bool:
        found[:] = (await stack.queries.get("/views/engine/sagas", params=wanted, headers=operator)).json()
        return [one["status"] for one in found] == ["in_review"]

    await eventually(under_revision, 30, "the saga of the partner, which has no tax number")
    contract = f"/contratos/{found[0]['references']['contract_id']}"
    by_hand = await stack.commands.post("/contratos", json={"partner_id": id, "fecha_inicio": "2030-01-01"})
    assert (await stack.queries.get(f"/api/v1/partners/{id}")).json()["partner"]["onboarding"] == "PENDIENTE"

    assert (await stack.commands.delete(f"/api/v1/partners/{id}")).status_code == 200

    await saga(stack, found[0]["saga_id"], "FALLIDA")
    for path in (contract, f"/contratos/{by_hand.json()['id']}"):
        await shown(stack, path, estado="INACTIVO", motivo="the partner was deleted")
    await shown(stack, f"/partners/{id}", estado="ELIMINADO")
    later = await stack.commands.post("/contratos", json={"partner_id": id, "fecha_inicio": "2030-01-01"})
    assert later.status_code == 422


async def test_compliance_reports_amounts_and_what_waits_for_an_officer(stack: RunningStack) -> None:
    terms = {"amount_cents": 1_500_000, "currency": "MXN"}
    receipt = await requested(stack, partner(producto="REFERRAL", terminos=terms))
    found = await saga(stack, receipt["saga_id"], "PENDIENTE_REVISION")
    assert "amount: 15000.00 needs an officer's decision" in found["reason"]
    officer, contract = stack.token("compliance_officer"), found["references"]["contract_id"]

    async def reported(state: str, *, is_open: bool) -> bool:
        reports = (await stack.queries.get("/compliance/reportes", params={"contract_id": contract}, headers=officer)).json()
        sums = (await stack.queries.get("/compliance/reportes/montos", headers=officer)).json()["montos"]
        unmet = (await stack.queries.get("/compliance/check")).json()["compliance"]
        codes = [rule["codigo"] for one in reports for rule in one["reglas"] if not rule["cumple"]]
        of_currency = [(one["estado"], one["contratos"], one["monto"]) for one in sums if one["moneda"] == "MXN"]
        return (
            codes == ["MONTO_INVALIDO"]
            and [(one["estado"], one["monto"], one["moneda"]) for one in reports] == [(state, 15000.0, "MXN")]
            and of_currency == [(state, 1, 15000.0)]
            and ("amount" in unmet) == is_open
        )

    async def waits() -> bool:
        return await reported("RECHAZADO", is_open=True)

    async def decided() -> bool:
        return await reported("ACTIVO", is_open=False)

    await eventually(waits, 20, "the report")
    assert (await stack.queries.get("/compliance/reportes/montos")).status_code == 401
    await stack.commands.post(f"/contratos/{contract}/revision", json={"aprobado": True}, headers=officer)
    await eventually(decided, 20, "the report after the decision")
    account = f"/views/partner_alliances/financial_accounts/{found['references']['partner_id']}"
    await shown(stack, account, state="active")


async def test_a_partner_without_papers_waits_for_them(stack: RunningStack) -> None:
    receipt = await requested(stack, {"nombre": "Partner ABC", "tipo": "CORPORATIVO"})

    found = await saga(stack, receipt["saga_id"], "PENDIENTE_REVISION")

    assert "tax_id: no tax number is given" in found["reason"]


async def test_programmes_and_contracts_are_made_by_hand_too(stack: RunningStack) -> None:
    made = (await stack.commands.post("/programas", json={"nombre": "Viajes", "comision": 7.5})).json()
    await shown(stack, f"/programas/{made['id']}", nombre="Viajes", comision=7.5)
    found = await saga(stack, (await requested(stack, partner()))["saga_id"], "COMPLETADA")
    contract = {"partner_id": found["references"]["partner_id"], "fecha_inicio": "2026-01-01", "fecha_fin": "2099-12-31"}
    unknown = await stack.commands.post("/contratos", json={**contract, "partner_id": str(uuid4())})
    assert (unknown.status_code, "does not exist" in unknown.json()["detail"]) == (422, True)
    made = (await stack.commands.post("/contratos", json=contract)).json()
    path = f"/contratos/{made['id']}"
    await shown(stack, path, estado="PENDIENTE", terminos={"commission_percent": 5.0, "cookie_days": 30}, en_revision=True)
    assert (await stack.commands.put(path, json={"estado": "ACTIVO"})).status_code == 422, "no officer has looked at it"
    officer = stack.token("compliance_officer")
    assert (await stack.commands.post(f"{path}/revision", json={"aprobado": True}, headers=officer)).status_code == 200
    await shown(stack, path, estado="ACTIVO", en_revision=False)

    for change, expected in (
        ({"terminos": {"cookie_days": 10}}, {"terminos": {"commission_percent": 5.0, "cookie_days": 10}}),
        ({"estado": "INACTIVO", "motivo": "impago"}, {"estado": "INACTIVO", "motivo": "impago"}),
        ({"estado": "ACTIVO"}, {"estado": "ACTIVO"}),
    ):
        answer = await stack.commands.put(path, json=change)
        assert answer.status_code == 200, answer.text
        await shown(stack, path, **expected)
    for nothing in ({"estado": "ACTIVO", "terminos": {}}, {}):
        assert (await stack.commands.put(path, json=nothing)).status_code == 422
    assert (await stack.queries.get("/contratos", params={"status": "ACTIVO"})).status_code == 422, "active, in this column"
    assert (await stack.commands.put("/contratos/nada", json={"estado": "ACTIVO"})).status_code == 404


async def test_a_contract_whose_last_day_is_over_is_rejected(stack: RunningStack) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    found = await saga(stack, (await requested(stack, partner()))["saga_id"], "COMPLETADA")
    command = {"partner_id": found["references"]["partner_id"], "starts_on": "2020-01-01", "ends_on": yesterday}
    rejected = await stack.commands.post("/commands/partner_alliances/create-contract", json=command)
    assert (rejected.status_code, "before the contract begins" in rejected.json()["detail"]) == (422, True)


async def test_validation_answers_rule_by_rule(stack: RunningStack) -> None:
    answer = await stack.commands.post("/partners/validate", json=partner(cuenta_bancaria={"iban": "ES00"}))

    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["aprobado"] is False
    assert {found["regla"]: found["cumple"] for found in body["reglas"]} == {
        "tax_id": True,
        "bank_account": False,
        "sanctions": True,
    }


async def test_the_causes_of_an_event_are_shown_through_the_saga(stack: RunningStack) -> None:
    found = await saga(stack, (await requested(stack, partner()))["saga_id"], "COMPLETADA")
    events = "/audit/partner_alliances/integrations/streams"
    auditor = stack.token("auditor")
    history = (await stack.queries.get(f"{events}/partner-{found['references']['partner_id']}", headers=auditor)).json()[
        "events"
    ]
    (activated,) = [event for event in history if event["type"] == "PartnerActivated"]

    path = f"/audit/partner_alliances/integrations/events/{activated['position']}/causation"
    (root,) = (await stack.queries.get(path, headers=auditor)).json()["roots"]

    def line(cause: dict[str, Any]) -> list[str]:
        """The way from a cause to the partner's activation."""
        ways = [[cause["type"], *way] for effect in cause["effects"] if (way := line(effect))]
        return next(iter(ways), ["PartnerActivated"] if cause["type"] == "PartnerActivated" else [])

    assert [name for name in line(root) if name != "SagaAdvanced"] == [
        "PartnerRequested",
        "PartnerCreated",
        "ContractCreated",
        "ContractApproved",
        "ContractActivated",
        "PartnerActivated",
    ]
    code, out, _ = await stack.caudal("why", "partner_alliances.integrations", str(activated["position"]))
    assert (code, "ContractApproved" in out, "PartnerRequested" in out) == (0, True, True)


async def test_an_operator_ends_a_process_and_sees_it(stack: RunningStack) -> None:
    receipt = await requested(stack, partner(nombre="Evil Corp"))
    await saga(stack, receipt["saga_id"], "PENDIENTE_REVISION")

    code, out, _ = await stack.caudal("sagas", "list", "--json")
    assert code == 0
    assert receipt["saga_id"] in {one["row"]["saga_id"] for one in orjson.loads(out)["rows"]}
    assert (await stack.caudal("sagas", "retry", receipt["saga_id"], "--apply"))[0] == 1
    code, _, err = await stack.caudal("sagas", "cancel", receipt["saga_id"][:8], "--reason", "ya no", "--apply")
    assert code == 0, err

    found = await saga(stack, receipt["saga_id"], "CANCELADA")
    assert found["reason"] == "ya no"
    await shown(stack, f"/partners/{found['references']['partner_id']}", estado="RETIRADO")
    await shown(stack, f"/contratos/{found['references']['contract_id']}", estado="INACTIVO")
    code, out, _ = await stack.caudal("sagas", "show", receipt["saga_id"][:8])
    assert code == 0
    assert "cancelled, ya no" in out


async def test_health_is_asked_for_where_clients_look(stack: RunningStack) -> None:
    for api in (stack.commands, stack.queries):
        answer = await api.get("/health")
        assert (answer.status_code, answer.json()["status"]) == (200, "ready")


async def test_clients_cannot_send_the_engines_own_commands(stack: RunningStack) -> None:
    answer = await stack.commands.post("/commands/engine/advance-saga", json={})
    assert answer.status_code == 404
    document = (await stack.commands.get("/openapi.json")).json()
    assert "/commands/engine/advance-saga" not in document["paths"]
    assert "/commands/engine/cancel-saga" in document["paths"]


async def test_a_term_beyond_64_bits_is_rejected_and_a_contract_until_the_end_of_the_calendar_is_found(
    stack: RunningStack,
) -> None:
    found = await saga(stack, (await requested(stack, partner()))["saga_id"], "COMPLETADA")
    contract = {"partner_id": found["references"]["partner_id"], "fecha_inicio": "2030-01-01", "fecha_fin": "9999-12-31"}
    wide = {**contract, "producto": "REFERRAL", "terminos": {"amount_cents": "9" * 20}}

    rejected = await stack.commands.post("/contratos", json=wide)
    accepted = await stack.commands.post("/contratos", json=contract)

    assert rejected.status_code == 422
    assert "amount_cents: is a number out of range: integers have 64 bits" in rejected.json()["detail"]
    assert accepted.status_code == 201, accepted.text
    id = accepted.json()["id"]
    seen = {"Consistency-Token": accepted.headers["consistency-token"]}
    wanted = {"ends_on": "9999-12-31", "partner_id": contract["partner_id"]}
    rows = await stack.queries.get("/views/partner_alliances/contracts", params=wanted, headers=seen)
    assert [row["contract_id"] for row in rows.json()] == [id]
    terms = {"saga": "partner_alliances.contract-term", "reference_ids[has]": id}

    async def waits() -> bool:
        sagas = (await stack.queries.get("/views/engine/sagas", params=terms, headers=stack.token("operator"))).json()
        return [(one["status"], one["deferred"], one["timers"]) for one in sagas] == [("running", {}, {})]

    await eventually(waits, 20, "the saga of the contract's term")
