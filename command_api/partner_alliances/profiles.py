"""The paths under which clients maintain partners: ``/api/v1/partners``."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pydantic import ConfigDict, Field

from aggregates.partner_alliances.partner import PARTNER, Partner
from command_api.http.gateway import CommandGateway
from command_api.http.paths import AcceptedCommandPath, CommandPath, FromState, Member, Translation
from command_api.partner_alliances.requests import Cuerpo, id_in
from schemas.envelope import Receipt
from schemas.errors import Invalid, Violation
from schemas.message import Command, Event
from schemas.partner_alliances.clients import dialect
from schemas.partner_alliances.clients.spanish import KYC_STATUSES, WORDS_FOR_KYC, EstadoKyc
from schemas.partner_alliances.partners import (
    AddIntegration,
    ChangePartner,
    DeletePartner,
    IntegrationType,
    RegisterPartner,
    RequestRegistration,
    RevokeIntegration,
    VerifyKyc,
)
from schemas.partner_alliances.parts import Name, Note, Phone, PostalAddress, SensitiveNote
from schemas.sensitive import RequiredSensitiveMailbox, SensitiveMailbox
from schemas.values.stated import RULES

_NEEDED = "necesita nombre, email, telefono o direccion"
_PATH = "/api/v1/partners"


class PartnerNuevo(Cuerpo):
    """Un partner que queda activo de inmediato."""

    nombre: Name
    email: RequiredSensitiveMailbox
    telefono: Phone = None
    direccion: PostalAddress = None


class CambioDePartner(Cuerpo):
    """Lo que cambia de un partner; lo que no se da queda igual."""

    model_config = ConfigDict(json_schema_extra={RULES: [_NEEDED], "examples": [{"telefono": "1234455678"}]})

    nombre: Name | None = None
    email: SensitiveMailbox = None
    telefono: Phone = None
    direccion: PostalAddress = None


class VerificacionKyc(Cuerpo):
    """El resultado de verificar la identidad de un partner."""

    estado_kyc: EstadoKyc
    documentos: dict[str, Any] | None = None
    comentarios: SensitiveNote = None


class IntegracionNueva(Cuerpo):
    """Una integración con un sistema del partner."""

    tipo: IntegrationType
    nombre: Name
    descripcion: Note = ""
    configuracion: dict[str, Any] = Field(default_factory=dict)


class Revocacion(Cuerpo):
    """Por qué se revoca una integración."""

    motivo: Note = ""


def register_partner(cuerpo: PartnerNuevo, _: Mapping[str, str]) -> Command:
    return RegisterPartner(name=cuerpo.nombre, email=cuerpo.email, phone=cuerpo.telefono, address=cuerpo.direccion)


def request_registration(cuerpo: PartnerNuevo, _: Mapping[str, str]) -> Command:
    return RequestRegistration(name=cuerpo.nombre, email=cuerpo.email, phone=cuerpo.telefono, address=cuerpo.direccion)


def change_partner(cuerpo: CambioDePartner, path: Mapping[str, str]) -> Command:
    if cuerpo.nombre is cuerpo.email is cuerpo.telefono is cuerpo.direccion is None:
        raise Invalid("nothing is to be changed", [Violation("", _NEEDED)])
    return ChangePartner(
        partner_id=id_in(path, "partner"),
        name=cuerpo.nombre,
        email=cuerpo.email,
        phone=cuerpo.telefono,
        address=cuerpo.direccion,
    )


def delete_partner(_: None, path: Mapping[str, str]) -> Command:
    return DeletePartner(partner_id=id_in(path, "partner"))


def verify_kyc(cuerpo: VerificacionKyc, path: Mapping[str, str]) -> Command:
    documents = None if cuerpo.documentos is None else _text_of(cuerpo.documentos)
    status = KYC_STATUSES[cuerpo.estado_kyc]
    return VerifyKyc(partner_id=id_in(path, "partner"), status=status, documents=documents, comments=cuerpo.comentarios)


def add_integration(cuerpo: IntegracionNueva, path: Mapping[str, str]) -> Command:
    return AddIntegration(
        partner_id=id_in(path, "partner"),
        type=cuerpo.tipo,
        name=cuerpo.nombre,
        description=cuerpo.descripcion,
        configuration=_text_of(cuerpo.configuracion),
    )


def revoke_integration(cuerpo: Revocacion, path: Mapping[str, str]) -> Command:
    return RevokeIntegration(integration_id=id_in(path, "integration"), reason=cuerpo.motivo)


def registered(command: RegisterPartner, receipt: Receipt, _: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the partner as it is at once: active, although its contract is not approved yet."""
    partner = {
        "id": receipt.key,
        "nombre": command.name,
        "email": command.email,
        "telefono": command.phone,
        "direccion": command.address,
        "estado": "ACTIVO",
        "estado_kyc": "PENDIENTE",
        "fecha_creacion": receipt.recorded_at,
    }
    return {"mensaje": "Partner creado exitosamente", "partner": partner}


async def changed(_: ChangePartner, receipt: Receipt, gateway: CommandGateway) -> Mapping[str, Any]:
    """Returns the partner after a change."""
    partner, plain = await _loaded(receipt, gateway)
    shown = {
        **_beginning(receipt, partner, plain),
        "telefono": plain.get(partner.phone or ""),
        "direccion": plain.get(partner.address or ""),
        "estado": "INACTIVO" if partner.end == "withdrawn" else "ACTIVO",
        "estado_kyc": _estado_kyc(partner),
        "fecha_actualizacion": receipt.recorded_at,
    }
    return {"mensaje": "Partner actualizado exitosamente", "partner": shown}


async def verified(_: VerifyKyc, receipt: Receipt, gateway: CommandGateway) -> Mapping[str, Any]:
    """Returns the partner after a verification, with its documents."""
    partner, plain = await _loaded(receipt, gateway)
    documents = plain.get(partner.kyc_documents or "")
    shown = {
        **_beginning(receipt, partner, plain),
        "estado_kyc": _estado_kyc(partner),
        "documentos_kyc": None if documents is None else orjson.loads(documents),
        "fecha_actualizacion": receipt.recorded_at,
    }
    return {"mensaje": "KYC verificado exitosamente", "partner": shown}


def added(command: AddIntegration, receipt: Receipt, _: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the new integration, whose id is that of the command."""
    integration = {
        "id": receipt.command_id,
        "tipo": command.type,
        "nombre": command.name,
        "descripcion": command.description,
        "activa": True,
        "fecha_creacion": receipt.recorded_at,
        "fecha_revocacion": None,
    }
    return {"mensaje": "Integración creada exitosamente", "integracion": integration}


def revoked(command: RevokeIntegration, _: Receipt, __: Sequence[Event]) -> Mapping[str, Any]:
    """Returns which integration was revoked, and why."""
    message = "Integración revocada exitosamente"
    return {"mensaje": message, "integracion_id": command.integration_id, "motivo": command.reason}


async def _loaded(receipt: Receipt, gateway: CommandGateway) -> tuple[Partner, Mapping[str, str]]:
    """Returns a partner's state, and its plain texts by the encrypted ones."""
    partner = await gateway.load(PARTNER, receipt.key)
    return partner, await gateway.decrypted((partner.email, partner.phone, partner.address, partner.kyc_documents))


def _beginning(receipt: Receipt, partner: Partner, plain: Mapping[str, str]) -> dict[str, Any]:
    return {"id": receipt.key, "nombre": partner.name, "email": plain.get(partner.email or "")}


def _estado_kyc(partner: Partner) -> EstadoKyc:
    return WORDS_FOR_KYC[partner.kyc_status]


def _text_of(document: Mapping[str, Any]) -> str:
    return orjson.dumps(document).decode()


def _revocation(path: str) -> CommandPath:
    return CommandPath(
        path,
        RevokeIntegration,
        revoked,
        "PUT",
        translation=Translation(Revocacion, revoke_integration),
        status=200,
        errors=dialect.REVOKED_INTEGRATION,
    )


PATHS: tuple[AcceptedCommandPath | CommandPath, ...] = (
    AcceptedCommandPath(
        f"/bff{_PATH}",
        RequestRegistration,
        {"message": "Evento de creación de partner publicado"},
        translation=Translation(PartnerNuevo, request_registration),
        location=f"{_PATH}/{{key}}",
        errors=dialect.NEW_PARTNER,
    ),
    CommandPath(
        _PATH,
        RegisterPartner,
        registered,
        translation=Translation(PartnerNuevo, register_partner),
        status=201,
        errors=dialect.NEW_PARTNER,
    ),
    CommandPath(
        f"{_PATH}/{{id}}",
        ChangePartner,
        FromState(changed),
        "PUT",
        translation=Translation(CambioDePartner, change_partner),
        status=200,
        errors=dialect.CHANGED_PARTNER,
    ),
    CommandPath(
        f"{_PATH}/{{id}}",
        DeletePartner,
        {"mensaje": "Partner eliminado exitosamente", "partner_id": Member("partner_id")},
        "DELETE",
        translation=Translation(None, delete_partner),
        status=200,
        errors=dialect.DELETED_PARTNER,
    ),
    CommandPath(
        f"{_PATH}/{{id}}/kyc",
        VerifyKyc,
        FromState(verified),
        "PUT",
        translation=Translation(VerificacionKyc, verify_kyc),
        status=200,
        errors=dialect.KYC,
    ),
    CommandPath(
        f"{_PATH}/{{id}}/integraciones",
        AddIntegration,
        added,
        translation=Translation(IntegracionNueva, add_integration),
        status=201,
        errors=dialect.NEW_INTEGRATION,
    ),
    *map(_revocation, (f"{_PATH}/integraciones/{{id}}/revocar", f"{_PATH}/{{id}}/revocar", "/integraciones/{id}/revocar")),
)
