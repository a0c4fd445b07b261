"""The path of programmes: both kinds of bodies become one command, which is answered as its view shows it."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from aggregates.partner_alliances import domain
from aggregates.scenario import FIRST_ID, MIDNIGHT, Scenario
from command_api.partner_alliances.programs import NuevoPrograma, create_program, created
from schemas.envelope import Receipt
from schemas.errors import Invalid
from schemas.partner_alliances.integrations import CreateProgram
from schemas.partner_alliances.parts import Affiliation, ProgramDetails, ProgramTerms

AFFILIATION = {
    "afiliacion_id": "f1e2d3c4-b5a6-7890-1234-abcdefabcdef",
    "afiliado_id": "c1d2e3f4-5678-1234-5678-abcdefabcdef",
    "estado": "ACTIVA",
    "fecha_alta": "2025-09-05",
    "fecha_baja": None,
}
BODY: dict[str, Any] = {
    "programa_id": "e7b8c2e2-9c2a-4f7e-bb8e-1a2b3c4d5e6f",
    "estado": "ACTIVO",
    "tipo": "AFILIADOS",
    "brand_id": "a1b2c3d4-5678-1234-5678-abcdefabcdef",
    "vigencia_inicio": "2025-09-01",
    "vigencia_fin": "2026-09-01",
    "term_modelo": "CPA",
    "term_moneda": "COP",
    "term_tarifa_base": 1000.00,
    "term_tope": 5000.00,
    "afiliaciones": [AFFILIATION],
}
DETAILS = ProgramDetails(
    status="active",
    type="AFFILIATES",
    brand_id="a1b2c3d4-5678-1234-5678-abcdefabcdef",
    starts_on=date(2025, 9, 1),
    ends_on=date(2026, 9, 1),
    terms=ProgramTerms(model="CPA", currency="COP", base_rate_cents=100_000, cap_cents=500_000),
    affiliations=(
        Affiliation(
            affiliation_id=UUID("f1e2d3c4-b5a6-7890-1234-abcdefabcdef"),
            affiliate_id="c1d2e3f4-5678-1234-5678-abcdefabcdef",
            status="active",
            joined_on=date(2025, 9, 5),
        ),
    ),
)
RECEIPT = Receipt(command_id=FIRST_ID, stream=f"program-{FIRST_ID}", version=1, position=2, partition=0, recorded_at=MIDNIGHT)


def test_a_body_has_a_name_or_the_details_of_a_brands_programme() -> None:
    named = NuevoPrograma.model_validate({"nombre": "Viajes", "comision": 7.5})

    assert create_program(named, {}) == CreateProgram(name="Viajes", commission_percent=7.5)
    assert create_program(NuevoPrograma.model_validate(BODY), {}) == CreateProgram(details=DETAILS)
    both = NuevoPrograma.model_validate({**BODY, "nombre": "Viajes"})
    assert create_program(both, {}) == CreateProgram(name="Viajes", details=DETAILS)


@pytest.mark.parametrize(
    "body", [{}, {"comision": 1}, {"nombre": "x", "tipo": "SAAS"}, {**BODY, "term_moneda": None}, {**BODY, "brand_id": None}]
)
def test_details_that_are_not_complete_are_invalid(body: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="not complete") as raised:
        create_program(NuevoPrograma.model_validate(body), {})
    assert raised.value.violations[0].detail.startswith("necesita nombre, o tipo")


def test_a_programme_is_answered_with_an_id_of_its_own() -> None:
    command = create_program(NuevoPrograma.model_validate(BODY), {})
    assert isinstance(command, CreateProgram)
    events = Scenario(domain({}).decisions).when(command).recorded

    answer = created(command, RECEIPT, events)

    time = MIDNIGHT.isoformat().replace("+00:00", "Z")
    assert {
        name: answer[name] for name in ("id", "programa_id", "estado", "tipo", "brand_id", "creado_en", "modificado_en")
    } == {
        "id": str(FIRST_ID),
        "programa_id": str(FIRST_ID),
        "estado": "ACTIVO",
        "tipo": "AFILIADOS",
        "brand_id": BODY["brand_id"],
        "creado_en": time,
        "modificado_en": time,
    }
    assert answer["vigencia"] == {"inicio": "2025-09-01", "fin": "2026-09-01"}
    assert answer["terminos"] == {"modelo": "CPA", "moneda": "COP", "tarifa_base": 1000.0, "tope": 5000.0}
    assert answer["afiliaciones"] == [{**AFFILIATION, "programa_id": str(FIRST_ID), "creado_en": time, "actualizado_en": time}]
