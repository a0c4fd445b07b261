"""The bodies about data services: the expert, and the code of the customer."""

from uuid import UUID

from command_api.health_subscriptions.bodies import data_services as bodies
from schemas.health_subscriptions.data_services import AssignExpert, CreateDataService

ID = UUID(int=7)


def test_a_data_service_has_its_expert_and_the_code_of_its_customer() -> None:
    expert = {
        "codigo": "e1",
        "nombre": {"nombres": "Eva", "apellidos": "Gil"},
        "usuario": "egil",
        "cedula": {"numero": 5},
        "email": "e@x.org",
    }
    body = {
        "suscripcion": {"codigo": 12, "cliente": {"codigo": "0001", "nombre": {}}, "plan": {"codigo": "pro"}},
        "experto": expert,
        "nube": {"codigo": "aws"},
        "dataset": {"codigo": "d"},
        "id": 123,
    }

    command = bodies.create_data_service(bodies.NuevoServicio.model_validate(body), {})

    assert isinstance(command, CreateDataService)
    assert (command.subscription_code, command.customer_code, command.external_id) == ("12", "0001", "123")
    assert (command.expert_code, command.first_names, command.national_id) == ("e1", "Eva", "5")
    nameless = bodies.create_data_service(
        bodies.NuevoServicio.model_validate({**body, "experto": {**expert, "codigo": ""}}), {}
    )
    assert isinstance(nameless, CreateDataService)
    assert (nameless.expert_code, nameless.first_names) == ("", None)
    assert CreateDataService(customer_code="0001", first_names="Eva").first_names is None
    assign = bodies.assign_expert(bodies.Asignacion.model_validate({"id_serviciodatos": str(ID), "experto": expert}), {})
    assert isinstance(assign, AssignExpert)
    assert (assign.data_service_id, assign.code, assign.email) == (ID, "e1", "e@x.org")
