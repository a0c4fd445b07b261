"""The path of programmes, which have a name, the details of a brand's programme, or both."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import ConfigDict, Field

from command_api.http.paths import CommandPath, Translation
from command_api.partner_alliances.requests import Cuerpo
from schemas.envelope import Receipt
from schemas.errors import Invalid, Violation
from schemas.message import Command, Event
from schemas.partner_alliances.clients.dialect import CHECKED
from schemas.partner_alliances.clients.programs_in_spanish import programme
from schemas.partner_alliances.clients.spanish import (
    AFFILIATION_STATUSES,
    PROGRAM_STATUSES,
    PROGRAM_TYPES,
    EstadoDeAfiliacion,
    EstadoDePrograma,
    Monto,
    TipoDePrograma,
)
from schemas.partner_alliances.integrations import Commission, CreateProgram, ProgramCreated
from schemas.partner_alliances.parts import (
    Affiliation,
    Name,
    Note,
    Product,
    ProgramDetails,
    ProgramModel,
    ProgramTerms,
)
from schemas.values.money import Currency, cents_of
from schemas.values.stated import RULES
from schemas.values.text import Identifier

_NEEDED = "necesita nombre, o tipo, brand_id, vigencia_inicio, term_modelo, term_moneda y term_tarifa_base"
_DETAILS = ("tipo", "brand_id", "vigencia_inicio", "term_modelo", "term_moneda", "term_tarifa_base")


class NuevaAfiliacion(Cuerpo):
    """La afiliación de un partner a un programa."""

    afiliacion_id: UUID | None = None
    afiliado_id: Identifier
    estado: EstadoDeAfiliacion = "PENDIENTE"
    fecha_alta: date | None = None
    fecha_baja: date | None = None


class NuevoPrograma(Cuerpo):
    """Un programa con nombre, o el de una marca con su vigencia, sus términos y sus afiliaciones."""

    model_config = ConfigDict(json_schema_extra={RULES: [_NEEDED], "examples": [{"nombre": "Viajes", "comision": 7.5}]})

    nombre: Name | None = None
    descripcion: Note = ""
    producto: Product = "AFFILIATION"
    comision: Commission = Field(default=0, description="Porcentaje.")
    programa_id: str | None = Field(default=None, description="No tiene efecto: el programa recibe uno propio.")
    estado: EstadoDePrograma = "BORRADOR"
    tipo: TipoDePrograma | None = None
    brand_id: Identifier | None = None
    vigencia_inicio: date | None = None
    vigencia_fin: date | None = None
    term_modelo: ProgramModel | None = None
    term_moneda: Currency | None = None
    term_tarifa_base: Monto | None = None
    term_tope: Monto | None = None
    afiliaciones: Annotated[list[NuevaAfiliacion], Field(max_length=1000)] = Field(default_factory=list)


def create_program(cuerpo: NuevoPrograma, _: Mapping[str, str]) -> Command:
    given = [name for name in _DETAILS if getattr(cuerpo, name) is not None]
    if (cuerpo.nombre is None and not given) or (given and len(given) < len(_DETAILS)):
        raise Invalid("the programme is not complete", [Violation("", _NEEDED)])
    return CreateProgram(
        name=cuerpo.nombre,
        description=cuerpo.descripcion,
        product=cuerpo.producto,
        commission_percent=cuerpo.comision,
        details=_details(cuerpo) if given else None,
    )


def _details(cuerpo: NuevoPrograma) -> ProgramDetails:
    assert cuerpo.tipo is not None, "the details are complete"
    return ProgramDetails.model_validate(
        {
            "status": PROGRAM_STATUSES[cuerpo.estado],
            "type": PROGRAM_TYPES[cuerpo.tipo],
            "brand_id": cuerpo.brand_id,
            "starts_on": cuerpo.vigencia_inicio,
            "ends_on": cuerpo.vigencia_fin,
            "terms": ProgramTerms.model_validate(
                {
                    "model": cuerpo.term_modelo,
                    "currency": cuerpo.term_moneda,
                    "base_rate_cents": cents_of(cuerpo.term_tarifa_base or 0),
                    "cap_cents": None if cuerpo.term_tope is None else cents_of(cuerpo.term_tope),
                }
            ),
            "affiliations": tuple(map(_affiliation, cuerpo.afiliaciones)),
        }
    )


def _affiliation(given: NuevaAfiliacion) -> Affiliation:
    return Affiliation(
        affiliation_id=given.afiliacion_id,
        affiliate_id=given.afiliado_id,
        status=AFFILIATION_STATUSES[given.estado],
        joined_on=given.fecha_alta,
        left_on=given.fecha_baja,
    )


def created(_: CreateProgram, receipt: Receipt, events: Sequence[Event]) -> Mapping[str, Any]:
    """Returns the programme as its view will show it."""
    (event,) = events
    assert isinstance(event, ProgramCreated)
    shown = programme(
        event.program_id,
        receipt.recorded_at,
        event.details,
        name=event.name,
        description=event.description,
        product=event.product,
        commission_percent=event.commission_percent,
    )
    return shown.model_dump(mode="json")


PATHS = (
    CommandPath(
        "/programas",
        CreateProgram,
        created,
        translation=Translation(NuevoPrograma, create_program),
        with_events=True,
        status=200,
        errors=CHECKED,
    ),
)
