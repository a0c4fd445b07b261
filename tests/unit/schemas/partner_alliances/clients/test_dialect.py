"""The errors of the partner alliances' own paths."""

import pytest

from command_api.handling.validation import validate_body
from command_api.partner_alliances.profiles import IntegracionNueva, PartnerNuevo, VerificacionKyc
from schemas.clients.dialect import Dialect
from schemas.errors import CaudalError, DoesNotExist, Invalid, NotFound, Rejected, Unavailable
from schemas.partner_alliances import rejections
from schemas.partner_alliances.clients import dialect
from schemas.partner_alliances.rejections import (
    IntegrationIsRevoked,
    IntegrationNotFound,
    MailboxIsTaken,
    PartnerIsDeleted,
    PartnerNotFound,
)
from streams.http.problems import STATUSES


@pytest.mark.parametrize(
    ("words", "error", "status", "text", "code"),
    [
        (dialect.PARTNERS, PartnerNotFound("x"), 404, "Partner no encontrado", "PARTNER_NO_ENCONTRADO"),
        (dialect.PARTNERS, NotFound("x"), 404, "Partner no encontrado", "PARTNER_NO_ENCONTRADO"),
        (dialect.PARTNERS, PartnerIsDeleted("x"), 410, "El partner está eliminado", "PARTNER_ELIMINADO"),
        (dialect.DELETED_PARTNER, PartnerIsDeleted("x"), 410, "El partner está eliminado", "PARTNER_YA_ELIMINADO"),
        (dialect.NEW_PARTNER, MailboxIsTaken("x"), 409, "Ya existe un partner con este email", "EMAIL_EXISTENTE"),
        (dialect.REVOKED_INTEGRATION, IntegrationNotFound("x"), 404, "Integración no encontrada", "INTEGRACION_NO_ENCONTRADA"),
        (dialect.REVOKED_INTEGRATION, NotFound("x"), 404, "Integración no encontrada", "INTEGRACION_NO_ENCONTRADA"),
        (
            dialect.REVOKED_INTEGRATION, IntegrationIsRevoked("x"), 410,
            "La integración ya está revocada", "INTEGRACION_YA_REVOCADA",
        ),
        (dialect.PARTNERS, CaudalError("x"), 500, "Error interno del servidor", "ERROR_INTERNO"),
        (dialect.PARTNERS, Unavailable("x"), 503, "No disponible: intente de nuevo más tarde", "UNAVAILABLE"),
    ],
)  # fmt: skip
def test_each_kind_has_a_status_a_text_and_a_code(
    words: Dialect, error: CaudalError, status: int, text: str, code: str
) -> None:
    usual = {"internal": 500, "unavailable": 503, "not_found": 404}.get(error.kind, 422)

    assert words.status_of(error.kind, usual) == status
    assert words.answer(error, "detail") == dialect.ErrorConCodigo(error=text, codigo=code)


@pytest.mark.parametrize(
    ("words", "shape", "body", "text", "code"),
    [
        (dialect.NEW_PARTNER, PartnerNuevo, {"nombre": "x"}, "Nombre y email son requeridos", "DATOS_INVALIDOS"),
        (
            dialect.NEW_PARTNER, PartnerNuevo, {"nombre": "x", "email": "y"},
            "/email debe tener de 3 a 254 caracteres", "DATOS_INVALIDOS",
        ),
        (dialect.NEW_PARTNER, PartnerNuevo, {"nombre": "x", "email": "a b c"}, "/email no es un email", "DATOS_INVALIDOS"),
        (
            dialect.NEW_PARTNER, PartnerNuevo, {"nombre": 1, "email": "a@b.org", "x": 1},
            "/nombre debe ser un texto; /x no se conoce", "DATOS_INVALIDOS",
        ),
        (dialect.KYC, VerificacionKyc, {}, "Estado KYC es requerido", "DATOS_INVALIDOS"),
        (
            dialect.KYC, VerificacionKyc, {"estado_kyc": "X"},
            "/estado_kyc debe ser uno de: APROBADO, RECHAZADO, REQUIERE_DOCUMENTOS, PENDIENTE", "ESTADO_KYC_INVALIDO",
        ),
        (
            dialect.NEW_INTEGRATION, IntegracionNueva, {"nombre": "x", "tipo": "X"},
            "/tipo debe ser uno de: API, WEBHOOK, BATCH, REAL_TIME", "TIPO_INTEGRACION_INVALIDO",
        ),
        (dialect.NEW_INTEGRATION, IntegracionNueva, {"nombre": "x"}, "Tipo y nombre son requeridos", "DATOS_INVALIDOS"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_body_is_said_in_spanish(
    words: Dialect, shape: type[PartnerNuevo], body: object, text: str, code: str
) -> None:
    with pytest.raises(Invalid) as raised:
        validate_body(body, shape)

    assert words.status_of(raised.value.kind, 422) == 400
    assert words.answer(raised.value, "detail") == dialect.ErrorConCodigo(error=text, codigo=code)


OWN = sorted({*rejections.OF_INTEGRATIONS, *rejections.OF_CONTRACTS, *rejections.OF_CAMPAIGNS}, key=lambda one: one.kind)


@pytest.mark.parametrize("rejection", OWN, ids=lambda one: one.kind)
def test_each_rejection_of_the_system_is_said_in_spanish(rejection: type[Rejected]) -> None:
    for words in (dialect.ERRORS, dialect.PARTNERS):
        said = words.answer(rejection("in English"), "in English").model_dump()["error"]
        assert said not in ("in English", "La operación no es posible")


def test_each_rejection_of_the_system_is_one_of_a_context() -> None:
    declared = {one for one in vars(rejections).values() if isinstance(one, type) and issubclass(one, Rejected)}

    assert declared - {Rejected} == set(OWN)


@pytest.mark.parametrize("kind", sorted(STATUSES.keys() - {"invalid", "not_as_signed", "sign_ins_blocked"}))
def test_each_error_of_the_engine_is_said_in_spanish(kind: str) -> None:
    error = Rejected("in English").of_kind(kind)

    assert dialect.ERRORS.answer(error, "in English") != dialect.Error(error="in English")


def test_faults_of_a_body_have_the_status_that_the_clients_of_a_path_know() -> None:
    assert [words.status_of("invalid", 422) for words in (dialect.ERRORS, dialect.CHECKED)] == [422, 400]
    assert dialect.CONTRACTS.answer(DoesNotExist("x"), "x") == dialect.Error(error="No existe el contrato")
