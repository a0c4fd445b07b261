"""The paths under which clients maintain partners: bodies become commands, and receipts answers."""

from collections.abc import Iterable, Mapping
from typing import Any, cast
from uuid import UUID

import pytest

from aggregates.partner_alliances.partner import PARTNER, Partner
from aggregates.scenario import MIDNIGHT
from command_api.http.gateway import CommandGateway
from command_api.partner_alliances.profiles import (
    PATHS,
    CambioDePartner,
    IntegracionNueva,
    PartnerNuevo,
    Revocacion,
    VerificacionKyc,
    add_integration,
    added,
    change_partner,
    changed,
    delete_partner,
    register_partner,
    registered,
    revoke_integration,
    revoked,
    verified,
    verify_kyc,
)
from schemas.envelope import Receipt
from schemas.errors import Invalid, NotFound
from schemas.partner_alliances.partners import (
    AddIntegration,
    ChangePartner,
    DeletePartner,
    RegisterPartner,
    RevokeIntegration,
    VerifyKyc,
)

ID, COMMAND = UUID(int=1), UUID(int=2)
PATH = {"id": str(ID)}
JOSE = {"nombre": "Jose", "email": "jose@example.org", "telefono": "123", "direccion": "cra 7"}
REGISTER = RegisterPartner(name="Jose", email="jose@example.org", phone="123", address="cra 7")
RECEIPT = Receipt(command_id=COMMAND, stream=f"partner-{ID}", version=1, position=2, partition=0, recorded_at=MIDNIGHT)
STATE = Partner(
    temporary_id=COMMAND,
    name="Jose",
    email="secret:jose@example.org",
    phone="secret:123",
    address="erased:cra 7",
    kyc_status="documents_required",
    kyc_documents='secret:{"rut":1}',
)


class WriteSide:
    """A write side with one partner."""

    def __init__(self, state: Partner = STATE) -> None:
        self._state = state

    async def load(self, stream: object, key: str) -> Partner:
        assert (stream, key) == (PARTNER, str(ID))
        return self._state

    async def decrypted(self, encrypted: Iterable[str | None]) -> Mapping[str, str]:
        return {text: text.removeprefix("secret:") for text in encrypted if text is not None and text.startswith("secret:")}


GATEWAY = cast(CommandGateway, WriteSide())


def test_each_body_becomes_its_command() -> None:
    assert register_partner(PartnerNuevo.model_validate(JOSE), {}) == REGISTER
    assert change_partner(CambioDePartner(telefono="4"), PATH) == ChangePartner(partner_id=ID, phone="4")
    assert delete_partner(None, PATH) == DeletePartner(partner_id=ID)
    assert revoke_integration(Revocacion(motivo="old"), PATH) == RevokeIntegration(integration_id=ID, reason="old")


def test_documents_and_configurations_become_texts() -> None:
    kyc = VerificacionKyc(estado_kyc="APROBADO", documentos={"rut": "1"}, comentarios="seen")
    integration = IntegracionNueva(tipo="API", nombre="Ads", configuracion={"key": "k"})

    assert verify_kyc(kyc, PATH) == VerifyKyc(partner_id=ID, status="approved", documents='{"rut":"1"}', comments="seen")
    assert add_integration(integration, PATH) == AddIntegration(
        partner_id=ID, type="API", name="Ads", configuration='{"key":"k"}'
    )
    assert verify_kyc(VerificacionKyc(estado_kyc="PENDIENTE"), PATH) == VerifyKyc(partner_id=ID, status="pending")


def test_a_change_of_nothing_is_invalid_and_an_id_that_is_none_is_not_found() -> None:
    with pytest.raises(Invalid, match="nothing"):
        change_partner(CambioDePartner(), PATH)
    for found in (change_partner, delete_partner, revoke_integration):
        body: Any = Revocacion() if found is revoke_integration else CambioDePartner(nombre="x")
        with pytest.raises(NotFound):
            found(body, {"id": "no-id"})


def test_a_new_partner_is_answered_as_active() -> None:
    answer = registered(REGISTER, RECEIPT, [])

    assert answer == {
        "mensaje": "Partner creado exitosamente",
        "partner": {"id": str(ID), **JOSE, "estado": "ACTIVO", "estado_kyc": "PENDIENTE", "fecha_creacion": MIDNIGHT},
    }


async def test_a_changed_partner_is_answered_as_a_whole_and_without_what_was_erased() -> None:
    answer = await changed(ChangePartner(partner_id=ID, phone="123"), RECEIPT, GATEWAY)

    assert answer["partner"] == {
        "id": str(ID),
        **JOSE,
        "direccion": None,
        "estado": "ACTIVO",
        "estado_kyc": "REQUIERE_DOCUMENTOS",
        "fecha_actualizacion": MIDNIGHT,
    }
    withdrawn = cast(CommandGateway, WriteSide(STATE.replace(end="withdrawn")))
    assert (await changed(ChangePartner(partner_id=ID), RECEIPT, withdrawn))["partner"]["estado"] == "INACTIVO"


@pytest.mark.parametrize(("documents", "shown"), [(STATE.kyc_documents, {"rut": 1}), (None, None), ("erased:{}", None)])
async def test_a_verification_is_answered_with_the_documents(documents: str | None, shown: object) -> None:
    gateway = cast(CommandGateway, WriteSide(STATE.replace(kyc_documents=documents)))

    answer = await verified(VerifyKyc(partner_id=ID, status="documents_required"), RECEIPT, gateway)

    assert answer["partner"] == {
        "id": str(ID),
        "nombre": "Jose",
        "email": "jose@example.org",
        "estado_kyc": "REQUIERE_DOCUMENTOS",
        "documentos_kyc": shown,
        "fecha_actualizacion": MIDNIGHT,
    }


def test_an_integration_is_answered_with_its_own_id() -> None:
    add = AddIntegration(partner_id=ID, type="API", name="Ads", description="of them", configuration="{}")

    assert added(add, RECEIPT, [])["integracion"] == {
        "id": COMMAND,
        "tipo": "API",
        "nombre": "Ads",
        "descripcion": "of them",
        "activa": True,
        "fecha_creacion": MIDNIGHT,
        "fecha_revocacion": None,
    }


def test_a_revocation_is_answered_with_its_reason_on_each_of_its_paths() -> None:
    answer = revoked(RevokeIntegration(integration_id=COMMAND, reason="old"), RECEIPT, [])

    assert (answer["integracion_id"], answer["motivo"]) == (COMMAND, "old")
    assert [(one.method, one.path) for one in PATHS if one.command is RevokeIntegration] == [
        ("PUT", "/api/v1/partners/integraciones/{id}/revocar"),
        ("PUT", "/api/v1/partners/{id}/revocar"),
        ("PUT", "/integraciones/{id}/revocar"),
    ]
