"""The compose file, as far as it can be checked without an engine."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from deploy.gateway.discovery import installed_gateways
from deploy.local.stack import SERVICES
from deploy.pages.discovery import installed_pages
from deploy.serving.sidecar import DEFAULT_PORT, wanted_services
from schemas.system import ENGINE
from streams.discovery import installed_catalog
from streams.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"


INFRASTRUCTURE = {"postgres", "redpanda", "console", "topic-docs", "migrate", "mail", "signing-key", "token-key", "master-key"}


@pytest.fixture
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text()))


def test_it_meets_the_compose_specification(compose: dict[str, Any]) -> None:
    package = find_spec("check_jsonschema")
    assert package is not None
    assert package.submodule_search_locations
    (schema,) = Path(package.submodule_search_locations[0]).rglob("compose-spec.json")

    jsonschema_rs.validator_for(json.loads(schema.read_text())).validate(compose)


def test_it_runs_every_process_and_what_they_need(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*SERVICES, "gateway", "ui", "sidecar", *INFRASTRUCTURE}
    for service in SERVICES:
        assert compose["services"][service]["command"][:2] == ["serve", service]


def test_it_runs_every_gateway_on_its_port(compose: dict[str, Any]) -> None:
    gateways = installed_gateways(installed_catalog())
    service = compose["services"]["gateway"]

    assert service["command"][:2] == ["serve", "gateway"]
    assert service["command"][4:] == [], "all of the systems that run"
    assert set(service["ports"]) == {f"127.0.0.1:{one.port}:{one.port}" for one in gateways.values()}


def test_it_runs_every_page_on_its_port_with_the_address_of_its_gateway(compose: dict[str, Any]) -> None:
    catalog = installed_catalog()
    pages, ports = installed_pages(catalog), {gateway.name: gateway.port for gateway in installed_gateways(catalog).values()}
    service = compose["services"]["ui"]

    assert service["command"][:2] == ["serve", "ui"]
    assert service["command"][4:] == [], "all of the systems that run"
    assert set(service["profiles"]) == {page.system for page in pages.values()}
    assert set(service["ports"]) == {f"127.0.0.1:{one.port}:{one.port}" for one in pages.values()}
    called = {page.system: f"http://gateway:{ports[page.system]}" for page in pages.values() if page.posts}
    assert json.loads(service["environment"]["CAUDAL_GATEWAYS"]) == called


def test_the_sidecar_calls_the_gateways_of_its_services(compose: dict[str, Any]) -> None:
    service, catalog = compose["services"]["sidecar"], installed_catalog()
    ports = {gateway.name: gateway.port for gateway in installed_gateways(catalog).values()}
    called = {one.gateway: f"http://gateway:{ports[one.gateway]}" for one in wanted_services([], catalog)}

    assert service["command"][:2] == ["serve", "sidecar"]
    assert service["command"][4:] == [], "all of the systems that run"
    assert set(service["profiles"]) == called.keys()
    assert json.loads(service["environment"]["CAUDAL_GATEWAYS"]) == called
    assert service["ports"] == [f"127.0.0.1:{DEFAULT_PORT}:{DEFAULT_PORT}"]


def test_a_profile_is_a_system_and_each_runs_what_it_needs(compose: dict[str, Any]) -> None:
    systems = set(installed_catalog().systems) - {ENGINE}
    services = compose["services"]
    with_mail = {context.system for context in installed_catalog().contexts if context.context == "notifications"}

    assert set(Settings(systems=(DEPLOY / ".env").read_text().split("COMPOSE_PROFILES=")[1].strip()).systems) == systems
    assert {name for name, service in services.items() if "profiles" in service} == {"ui", "sidecar", "mail"}
    assert set(services["mail"]["profiles"]) == with_mail
    for name in (*SERVICES, "gateway", "ui", "sidecar", "migrate"):
        assert services[name]["environment"]["CAUDAL_SYSTEMS"] == "${COMPOSE_PROFILES}"


def test_the_relay_alone_has_the_key_that_signs(compose: dict[str, Any]) -> None:
    holders = [
        name for name, service in compose["services"].items() if any(v.startswith("keys:") for v in service.get("volumes", ()))
    ]

    assert holders == ["signing-key", "relay"]
    assert compose["services"]["relay"]["environment"]["CAUDAL_SIGNING_KEY"] == "/keys/signing.pem"
    assert compose["services"]["relay"]["environment"]["CAUDAL_BROKERS"] == "redpanda:9092"


def test_every_process_has_the_keys_of_tokens_and_the_master_key(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        environment = compose["services"][service]["environment"]
        assert environment["CAUDAL_TOKEN_KEYS"] == "/access-keys/tokens"
        assert environment["CAUDAL_MASTER_KEY_FILE"].startswith("/access-keys/")
        assert "access-keys:/access-keys:ro" in compose["services"][service]["volumes"]


def test_ports_are_published_on_loopback_alone(compose: dict[str, Any]) -> None:
    published = [port for service in compose["services"].values() for port in service.get("ports", ())]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_console_knows_brokers_schema_registry_and_topic_documentation() -> None:
    console = yaml.safe_load((DEPLOY / "redpanda_console" / "console.yaml").read_text())

    assert console["kafka"]["brokers"] == ["redpanda:9092"]
    assert console["schemaRegistry"]["enabled"]
    assert console["console"]["topicDocumentation"]["git"]["repository"]["url"] == "git://topic-docs/topics"
