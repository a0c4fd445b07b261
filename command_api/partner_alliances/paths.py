"""Partner alliances' own paths for commands, in their clients' Spanish."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from aggregates.sagas.saga import saga_id
from command_api.http.paths import KEY, CommandPath, Translation
from command_api.partner_alliances.requests import Cuerpo, id_in
from schemas.envelope import Receipt
from schemas.errors import Invalid, Violation
from schemas.message import Command, Event
from schemas.partner_alliances.campaigns import Budget, CreateCampaign
from schemas.partner_alliances.clients import dialect
from schemas.partner_alliances.clients.spanish import (
    ACCOUNT_STATES,
    COMMISSION_MODELS,
    PARTNER_TYPES,
    WORDS_FOR_COMMISSION,
    EstadoDeCuenta,
    Monto,
    TipoDeContrato,
    TipoDePartner,
    monto_of,
)
from schemas.partner_alliances.compliance import (
    PartnerValidated,
    PublishSanctionList,
    RegisterFinancialAccount,
    SanctionedNames,
    ValidatePartner,
)
from schemas.partner_alliances.contracts import (
    ChangeContract,
    CreateContract,
    DecideContractRevision,
    ResumeContract,
    SuspendContract,
)
from schemas.partner_alliances.integrations import RequestPartner
from schemas.partner_alliances.parts import (
    AccountNumber,
    Bic,
    Country,
    Name,
    Note,
    Product,
    Profile,
    TaxId,
    TaxNumber,
)
from schemas.sensitive import SensitiveMailbox
from schemas.values.money import Currency, cents_of
from schemas.values.stated import RULES

_NEEDED = "necesita terminos, fecha_fin o estado"
_ALONE = "va sin terminos ni fecha_fin"


class IdentificacionFiscal(Cuerpo):
    pais: Country = Field(description="ISO 3166-1 alfa-2.")
    numero: TaxNumber


class CuentaBancaria(Cuerpo):
    iban: AccountNumber = None
    bic: Bic | None = None
    numero: AccountNumber = None


class Perfil(Cuerpo):
    """Lo que un partner dice de sí mismo."""

    nombre: Name
    tipo: TipoDePartner = "CORPORATIVO"
    correo: SensitiveMailbox = None
    identificacion_fiscal: IdentificacionFiscal | None = None
    cuenta_bancaria: CuentaBancaria | None = None

    def profile(self) -> Profile:
        fiscal = self.identificacion_fiscal
        tax_id = None if fiscal is None else TaxId(country=fiscal.pais, number=fiscal.numero)
        return Profile(name=self.nombre, type=PARTNER_TYPES[self.tipo], tax_id=tax_id)

    def account(self) -> Mapping[str, str | None]:
        """Returns the bank account, in the words of the commands."""
        cuenta = self.cuenta_bancaria or CuentaBancaria()
        return {"iban": cuenta.iban, "bic": cuenta.bic, "account_number": cuenta.numero}


class NuevoPartner(Perfil):
    """Un partner, y el contrato que tendrá."""

    producto: Product = "AFFILIATION"
    terminos: dict[str, Any] = Field(default_factory=dict)
    fecha_inicio: date | None = None
    fecha_fin: date | None = None


class NuevoContrato(Cuerpo):
    partner_id: UUID
    producto: Product = "AFFILIATION"
    terminos: dict[str, Any] = Field(default_factory=dict)
    fecha_inicio: date
    fecha_fin: date | None = None


class Contrato(Cuerpo):
    """Un contrato por comisión. Su estado lo decide compliance, sea cual sea el que se dé."""

    id: str | None = Field(default=None, description="No tiene efecto: el contrato recibe uno propio.")
    partner_id: UUID
    tipo: TipoDeContrato
    fecha_inicio: date
    fecha_fin: date | None = None
    monto: Monto | None = None
    moneda: Currency = "USD"
    condiciones: Note | None = None
    estado: Literal["activo", "inactivo", "vencido", "cancelado", "rechazado"] = "activo"
    fecha_creacion: str | None = Field(default=None, description="No tiene efecto.")
    fecha_actualizacion: str | None = Field(default=None, description="No tiene efecto.")


class CambioDeContrato(Cuerpo):
    """Términos o fecha de fin, o suspenderlo (INACTIVO) y reanudarlo (ACTIVO): lo uno o lo otro."""

    model_config = ConfigDict(
        json_schema_extra={RULES: [_NEEDED, _ALONE], "examples": [{"terminos": {"commission_percent": 10}}]}
    )

    terminos: dict[str, Any] | None = None
    fecha_fin: date | None = None
    estado: Literal["ACTIVO", "INACTIVO"] | None = None
    motivo: Note = ""


class DecisionDeRevision(Cuerpo):
    aprobado: bool
    motivo: Note = ""


class ListaDeSanciones(Cuerpo):
    nombres: SanctionedNames


class AltaFinanciera(Cuerpo):
    """Un partner en el sistema financiero."""

    partner_id: UUID
    state: EstadoDeCuenta = "ACTIVE"
    enable_at: datetime | None = Field(default=None, description="Sin zona horaria es UTC; por defecto, ahora.")


class NuevaCampana(Cuerpo):
    partner_id: UUID
    nombre: Name
    descripcion: Note = ""
    presupuesto_centavos: Budget
    fecha_inicio: date
    fecha_fin: date


def request_partner(cuerpo: NuevoPartner, _: Mapping[str, str]) -> Command:
    return RequestPartner(
        profile=cuerpo.profile(),
        email=cuerpo.correo,
        **cuerpo.account(),
        product=cuerpo.producto,
        terms=cuerpo.terminos,
        starts_on=cuerpo.fecha_inicio,
        ends_on=cuerpo.fecha_fin,
    )


def validate_partner(cuerpo: Perfil, _: Mapping[str, str]) -> Command:
    return ValidatePartner(profile=cuerpo.profile(), **cuerpo.account())


def create_contract(cuerpo: NuevoContrato, _: Mapping[str, str]) -> Command:
    return CreateContract(
        partner_id=cuerpo.partner_id,
        product=cuerpo.producto,
        terms=cuerpo.terminos,
        starts_on=cuerpo.fecha_inicio,
        ends_on=cuerpo.fecha_fin,
    )


def create_commission(cuerpo: Contrato, _: Mapping[str, str]) -> Command:
    terms = {
        "model": COMMISSION_MODELS[cuerpo.tipo],
        "amount_cents": None if cuerpo.monto is None else cents_of(cuerpo.monto),
        "currency": cuerpo.moneda,
        "conditions": cuerpo.condiciones or "",
    }
    return CreateContract(
        partner_id=cuerpo.partner_id,
        product="COMMISSION",
        terms=terms,
        starts_on=cuerpo.fecha_inicio,
        ends_on=cuerpo.fecha_fin,
    )


def change_contract(cuerpo: CambioDeContrato, path: Mapping[str, str]) -> Command:
    contract_id = id_in(path, "contract")
    if cuerpo.estado is None:
        if cuerpo.terminos is None and cuerpo.fecha_fin is None:
            raise Invalid("nothing is to be changed", [Violation("", _NEEDED)])
        return ChangeContract(contract_id=contract_id, terms=cuerpo.terminos, ends_on=cuerpo.fecha_fin)
    if cuerpo.terminos is not None or cuerpo.fecha_fin is not None:
        raise Invalid("one thing at a time", [Violation("/estado", _ALONE)])
    if cuerpo.estado == "ACTIVO":
        return ResumeContract(contract_id=contract_id)
    return SuspendContract(contract_id=contract_id, reason=cuerpo.motivo)


def decide_revision(cuerpo: DecisionDeRevision, path: Mapping[str, str]) -> Command:
    return DecideContractRevision(contract_id=id_in(path, "contract"), approved=cuerpo.aprobado, reason=cuerpo.motivo)


def register_account(cuerpo: AltaFinanciera, _: Mapping[str, str]) -> Command:
    at = cuerpo.enable_at
    return RegisterFinancialAccount(
        partner_id=cuerpo.partner_id,
        state=ACCOUNT_STATES[cuerpo.state],
        enabled_at=at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC),
    )


def create_campaign(cuerpo: NuevaCampana, _: Mapping[str, str]) -> Command:
    return CreateCampaign(
        partner_id=cuerpo.partner_id,
        name=cuerpo.nombre,
        description=cuerpo.descripcion,
        budget_cents=cuerpo.presupuesto_centavos,
        starts_on=cuerpo.fecha_inicio,
        ends_on=cuerpo.fecha_fin,
    )


def commission(command: CreateContract, receipt: Receipt, _: Sequence[Event]) -> Mapping[str, Any]:
    """Returns a contract that is not active yet: an officer decides on it."""
    terms = command.terms
    return {
        "id": receipt.key,
        "partner_id": command.partner_id,
        "tipo": WORDS_FOR_COMMISSION[terms["model"]],
        "fecha_inicio": command.starts_on,
        "fecha_fin": command.ends_on,
        "monto": monto_of(terms["amount_cents"]),
        "moneda": terms["currency"],
        "condiciones": terms["conditions"],
        "estado": "inactivo",
        "fecha_creacion": receipt.recorded_at,
    }


def onboarding_started(_: Command, receipt: Receipt, __: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the ids under which the client follows its request."""
    temporary_id = receipt.key
    saga = saga_id("partner_alliances.onboarding", temporary_id)
    return {"saga_id": saga, "partner_id_temporal": temporary_id, "estado": "INICIADA"}


def verdict(_: Command, __: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the verdict of each rule."""
    (validated,) = events
    assert isinstance(validated, PartnerValidated)
    return {
        "aprobado": validated.approved,
        "reglas": [{"regla": found.rule, "cumple": found.passed, "detalle": found.detail} for found in validated.verdicts],
        "lista_de_sanciones": validated.sanction_list,
    }


PATHS = (
    CommandPath(
        "/partners",
        RequestPartner,
        onboarding_started,
        translation=Translation(NuevoPartner, request_partner),
        errors=dialect.ERRORS,
    ),
    CommandPath(
        "/partners/validate",
        ValidatePartner,
        verdict,
        translation=Translation(Perfil, validate_partner),
        with_events=True,
        errors=dialect.ERRORS,
    ),
    CommandPath(
        "/contratos",
        CreateContract,
        {"id": KEY},
        translation=Translation(NuevoContrato, create_contract),
        errors=dialect.CONTRACTS,
    ),
    *(
        CommandPath(
            path,
            CreateContract,
            commission,
            translation=Translation(Contrato, create_commission),
            status=201,
            errors=dialect.CONTRACTS,
        )
        for path in ("/posts", "/posts/")
    ),
    CommandPath(
        "/contratos/{id}",
        ChangeContract,
        {"id": KEY},
        "PUT",
        translation=Translation(CambioDeContrato, change_contract),
        errors=dialect.CONTRACTS,
    ),
    CommandPath(
        "/contratos/{id}/revision",
        DecideContractRevision,
        {"id": KEY},
        translation=Translation(DecisionDeRevision, decide_revision),
        errors=dialect.CONTRACTS,
    ),
    CommandPath(
        "/compliance/sanciones",
        PublishSanctionList,
        {"id": KEY},
        "PUT",
        translation=Translation(ListaDeSanciones, lambda cuerpo, _: PublishSanctionList(names=cuerpo.nombres)),
        errors=dialect.ERRORS,
    ),
    CommandPath(
        "/compliance/register",
        RegisterFinancialAccount,
        {},
        translation=Translation(AltaFinanciera, register_account),
        status=202,
        errors=dialect.CHECKED,
    ),
    CommandPath(
        "/campanas",
        CreateCampaign,
        {"id": KEY},
        translation=Translation(NuevaCampana, create_campaign),
        errors=dialect.ERRORS,
    ),
)
