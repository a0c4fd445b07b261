"""Settings: what the environment may say, and what it is answered otherwise."""

import pytest
from pydantic import ValidationError

from schemas.errors import Misconfigured
from schemas.system import ContextName
from streams.settings import Settings, unknown_variables

INGESTION = ContextName("data_ingestion", "ingestion")


def test_a_single_contexts_database_overrides_the_one_of_all() -> None:
    settings = Settings(write_dsn="a", read_dsn="b", write_dsns={str(INGESTION): "c"}, read_dsns={str(INGESTION): "d"})

    assert (settings.log_dsn(INGESTION), settings.view_dsn(INGESTION)) == ("c", "d")
    other = ContextName("data_ingestion", "validation")
    assert (settings.log_dsn(other), settings.view_dsn(other)) == ("a", "b")


def test_views_are_with_the_logs_unless_they_have_a_database() -> None:
    assert Settings(write_dsn="a").view_dsn(INGESTION) == "a"


@pytest.mark.parametrize(
    "variable", ["FILE_SOURCES", "WRITE_DSNS", "READ_DSNS", "RETIRED_SIGNING_KEYS", "ACCESS", "RATE_LIMITS"]
)
def test_a_variable_that_is_not_json_is_named_with_an_example(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CAUDAL_{variable}", "data_ingestion")

    with pytest.raises(Misconfigured, match=f"CAUDAL_{variable} is not JSON: set it to JSON, such as "):
        Settings()


def test_every_setting_that_is_json_has_an_example_that_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, field in Settings.model_fields.items():
        if "as JSON" in str(field.description) or "as a JSON" in str(field.description):
            assert field.examples, name
            monkeypatch.setenv(f"CAUDAL_{name.upper()}", field.examples[0])

    Settings()


def test_an_unknown_variable_is_warned_about_with_the_nearest_name() -> None:
    assert unknown_variables(["CAUDAL_BROKER", "CAUDAL_BROKERS", "HOME", "CAUDAL_CONTEXT", "CAUDAL_TOKEN"]) == [
        "CAUDAL_BROKER is not a setting and has no effect: did you mean CAUDAL_BROKERS?"
    ]
    assert unknown_variables(["CAUDAL_ZZZZZZ"]) == [
        "CAUDAL_ZZZZZZ is not a setting and has no effect: docs/production.md lists all settings"
    ]


@pytest.mark.parametrize("url", ["localhost:25", "smtp://host", "http://host:25", "smtp://host:none"])
def test_a_mail_server_is_an_address_with_a_port(url: str) -> None:
    with pytest.raises(ValidationError, match="should read like"):
        Settings(mail_url=url)


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CAUDAL_BROKER_SASL_MECHANISM", "CAUDAL_POOL_SIZE", "CAUDAL_SYSTEMS"):
        monkeypatch.setenv(name, "")

    settings = Settings()

    assert (settings.broker_sasl_mechanism, settings.pool_size, settings.systems) == (None, 8, [])


def test_names_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAUDAL_SYSTEMS", "clinical_lab, data_ingestion,")

    assert Settings().systems == ["clinical_lab", "data_ingestion"]
    assert Settings(systems=["flight_reservations"]).systems == ["flight_reservations"]


def test_a_deployment_is_closed_unless_it_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CAUDAL_PROFILE", raising=False)

    assert Settings().profile == "closed"
