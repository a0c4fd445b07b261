"""A reservation in its clients' words."""

from datetime import timedelta

from aggregates.scenario import FIRST_ID, MIDNIGHT
from schemas.flight_reservations.clients.reservations_in_spanish import shown
from tests.unit.aggregates.flight_reservations.flights import itinerary


def test_a_reservation_has_its_flights_with_the_times_of_the_reservation() -> None:
    later = MIDNIGHT + timedelta(seconds=1.5)
    itineraries = [itinerary("BOG-JFK JFK-LAX")]

    reserva = shown(FIRST_ID, None, "approved", None, itineraries, ["one_way"], MIDNIGHT, later)

    assert (reserva.estado, reserva.tipo_vuelo, reserva.id_cliente) == ("Aprobada", ["Solo ida"], None)
    first, second = (segment.legs[0] for segment in reserva.itinerarios[0].odos[0].segmentos)
    assert (first.fecha_salida, first.fecha_llegada) == ("2022-11-22T12:00:00Z", "2022-11-22T14:00:00Z")
    assert (first.origen.codigo, first.origen.nombre, second.destino.codigo) == ("BOG", "Bog", "LAX")
    assert first.origen.fecha_creacion == reserva.fecha_creacion
    assert first.origen.fecha_actualizacion == reserva.fecha_actualizacion
    assert reserva.fecha_actualizacion > reserva.fecha_creacion
