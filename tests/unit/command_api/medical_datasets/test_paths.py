"""The answer to a request to anonymise an image."""

from uuid import UUID

from command_api.http.paths import AcceptedCommand
from command_api.medical_datasets.bodies import Anonimizacion, anonymise
from command_api.medical_datasets.paths import received
from schemas.medical_datasets.anonymisation import RequestAnonymisation
from tests.unit.command_api.medical_datasets.test_bodies import SENT


def test_it_says_what_was_understood() -> None:
    command = anonymise(Anonimizacion.model_validate(SENT), {})
    assert isinstance(command, RequestAnonymisation)

    answer = received(command, AcceptedCommand(UUID(int=1), "key", is_repeat=False))

    assert answer["message"] == "Se ha recibido la solicitud correctamente"
    known = answer["datos_recibidos"]
    assert (known["nombre_paciente"], known["historial_paciente_id"], known["img"]) == ("Juan Pérez", "12345", SENT["img"])
    diagnosis = {"region_anatomica": "Cabeza", "modalidad": "CT", "patologia": "Tumor"}
    assert (known["registro_de_diagnostico"], known["data"]) == (diagnosis, SENT["data"])
