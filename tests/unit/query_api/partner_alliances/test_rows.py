"""The partner alliances' rows in Spanish."""

from datetime import UTC, date, datetime
from uuid import UUID

from query_api.partner_alliances import SAGA_LABELS
from query_api.partner_alliances.rows import campaign, contract, partner, program
from schemas.partner_alliances import views

ID, OTHER, NOW, DAY = UUID(int=1), UUID(int=2), datetime(2026, 1, 31, tzinfo=UTC), date(2026, 1, 31)


def test_a_partner() -> None:
    row = views.Partners(partner_id=ID, temporary_id=OTHER, name="Eco", type="AGENCY", email="e@x.org", created_at=NOW)

    assert partner(row.model_dump()).model_dump() == {
        "id": ID,
        "partner_id_temporal": OTHER,
        "nombre": "Eco",
        "tipo": "AGENCIA",
        "correo": "e@x.org",
        "estado": "PENDIENTE",
        "motivo": None,
        "creado": NOW,
    }


def test_a_programme() -> None:
    row = views.Programs(program_id=ID, name="Verano", product="P", commission_percent=2.5)

    shown = program(row.model_dump())

    assert (shown.id, shown.nombre, shown.producto, shown.comision) == (ID, "Verano", "P", 2.5)
    assert (shown.estado, shown.vigencia, shown.terminos, shown.afiliaciones) == (None, None, None, [])


def test_a_brands_programme() -> None:
    terms = {"model": "CPC", "currency": "EUR", "base_rate_cents": 150}
    details = {"type": "ADVOCACY", "brand_id": "b", "starts_on": DAY.isoformat(), "terms": terms}
    row = views.Programs.model_validate({"program_id": ID, "details": details, "created_at": NOW})

    shown = program(row.model_dump())

    assert (shown.programa_id, shown.estado, shown.tipo, shown.brand_id) == (ID, "BORRADOR", "ADVOCACY", "b")
    assert shown.terminos is not None
    assert (shown.terminos.tarifa_base, shown.terminos.tope, shown.creado_en) == (1.5, None, NOW)


def test_a_contract() -> None:
    row = views.Contracts(contract_id=ID, partner_id=OTHER, starts_on=DAY, status="suspended", approved=True)

    shown = contract(row.model_dump())

    assert (shown.id, shown.partner_id, shown.fecha_inicio, shown.estado) == (ID, OTHER, DAY, "INACTIVO")
    assert (shown.cumple_reglas, shown.en_revision) == (True, False)


def test_a_campaign() -> None:
    row = views.Campaigns(campaign_id=ID, partner_id=OTHER, budget_cents=100, ends_on=DAY)

    shown = campaign(row.model_dump())

    assert (shown.id, shown.presupuesto_centavos, shown.fecha_fin) == (ID, 100, DAY)


def test_a_step_that_failed_is_an_error_to_clients() -> None:
    assert (SAGA_LABELS.step("failed"), SAGA_LABELS.status("failed")) == ("ERROR", "FALLIDA")
