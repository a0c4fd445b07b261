"""The mirror: each module has a unit test at the same path, or its integration test and the reason are listed here."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]


class CoveredBy(NamedTuple):
    """The test of a module that makes no sense without a database or a broker, or that has nothing to test alone."""

    test: str
    reason: str


_TABLES = "it only runs statements, whose effect is in the tables"
_BROKER = "it only talks to a broker"
_VALUE = "it is a value without behaviour"
_MESSAGES = "it only declares messages or views"
_STAGE = "it is a stage of the handler, which is tested whole"
_OPTIONS = "it only declares options"
_SERVER = "it runs a server"
_ADDRESSES = "it is a table of addresses"

MIRRORED: Mapping[str, Mapping[str, CoveredBy]] = {
    "deploy": {
        "authoring/reading.py": CoveredBy("unit/deploy/authoring/test_trying.py", "systems are read by it"),
        "console/options.py": CoveredBy("unit/deploy/test_cli.py", _VALUE),
        "flight_reservations/vuelos_pb2.py": CoveredBy("unit/deploy/serving/test_sidecar.py", "it is generated"),
        "flight_reservations/vuelos_pb2_grpc.py": CoveredBy("unit/deploy/serving/test_sidecar.py", "it is generated"),
        "pages/live_page.py": CoveredBy("unit/deploy/pages/test_discovery.py", _VALUE),
        "serving/grpc_service.py": CoveredBy("unit/deploy/serving/test_sidecar.py", _VALUE),
        "local/servers/embedded_broker.py": CoveredBy("conformance/test_broker.py", _SERVER),
        "local/servers/kafka.py": CoveredBy("conformance/test_broker.py", _SERVER),
        "local/servers/mail.py": CoveredBy("integration/test_mail.py", _SERVER),
        "local/servers/postgres.py": CoveredBy("integration/test_local_postgres.py", _SERVER),
        "local/servers/readiness.py": CoveredBy("e2e/test_up.py", _BROKER),
        "local/stack.py": CoveredBy("e2e/test_resilience.py", "it starts and stops real processes"),
        "commands/commands.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "commands/doctor.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "commands/dead_letters.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "operations/dead_letters/selection.py": CoveredBy("integration/test_dead_letter_operations.py", _TABLES),
        "operations/verify/integration.py": CoveredBy("e2e/test_integration_topics.py", _TABLES),
        "operations/load/record.py": CoveredBy("unit/deploy/operations/load/test_outcome.py", _VALUE),
        "commands/projections.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "operations/projections/rebuilding.py": CoveredBy("integration/test_rebuild.py", _TABLES),
        "operations/projections/table_shapes.py": CoveredBy("integration/test_view_verification.py", _TABLES),
        "operations/relay/backfill.py": CoveredBy("integration/test_topic_verification.py", "it publishes a log on a topic"),
        "commands/relay.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "operations/replay/events.py": CoveredBy("e2e/test_audit.py", _TABLES),
        "commands/sagas.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "operations/sagas/instructing.py": CoveredBy("e2e/test_partner_alliances.py", _TABLES),
        "operations/sagas/reading.py": CoveredBy("e2e/test_partner_alliances.py", _TABLES),
        "commands/status.py": CoveredBy("e2e/test_up.py", _TABLES),
        "operations/status/installation_status.py": CoveredBy("unit/deploy/operations/status/test_health.py", _VALUE),
        "commands/subscriptions.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "operations/subscriptions/control.py": CoveredBy("integration/test_subscription.py", _TABLES),
        "operations/installed_subscriptions.py": CoveredBy("integration/test_subscription.py", _TABLES),
        "commands/verify.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "commands/recover.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "commands/subjects.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "commands/operations.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "commands/orders/order.py": CoveredBy("unit/deploy/test_cli.py", _OPTIONS),
        "commands/orders/carrying_out.py": CoveredBy("e2e/test_operations_api.py", _TABLES),
        "commands/orders/remote.py": CoveredBy("e2e/test_operations_api.py", "it talks to the operations API"),
        "operations/installation.py": CoveredBy("integration/test_dead_letter_operations.py", "it holds connections"),
        "operations/journal.py": CoveredBy("unit/deploy/operations/test_operation.py", "it is used by it alone"),
        "operations/status/reading.py": CoveredBy("unit/deploy/operations/status/test_tables.py", _VALUE),
        "operations/subjects/finding.py": CoveredBy("e2e/test_encryption.py", _TABLES),
        "operations/subjects/erasing.py": CoveredBy("e2e/test_operations_api.py", _TABLES),
        "operations/projections/row_history.py": CoveredBy("e2e/test_operations_page.py", _TABLES),
        "operations_page/forms.py": CoveredBy("e2e/test_operations_page.py", "a browser sends them"),
        "operations_page/page.py": CoveredBy("e2e/test_operations_page.py", "a browser looks at it"),
        "operations_page/rendering.py": CoveredBy("e2e/test_operations_page.py", "a browser looks at it"),
        "operations_page/screen.py": CoveredBy("e2e/test_operations_page.py", _VALUE),
        **{
            f"operations_page/screens/{name}.py": CoveredBy("e2e/test_operations_page.py", "a browser looks at it")
            for name in ("contracts", "history", "logs", "proof", "sagas", "subjects", "subscriptions", "views")
        },
        "operations_page/app.py": CoveredBy("e2e/test_operations_api.py", "it puts the parts together"),
        "operations_api/openapi.py": CoveredBy("e2e/test_openapi.py", "the API is checked against it"),
        "operations_api/routes.py": CoveredBy("e2e/test_operations_api.py", _TABLES),
        "operations/verify/erased_subjects.py": CoveredBy("e2e/test_encryption.py", _TABLES),
        "operations/verify/log.py": CoveredBy("integration/test_verification.py", "it finds alterations of the tables"),
        "operations/recovery/loss.py": CoveredBy("integration/test_log_went_back.py", "it compares a log with a topic"),
        "operations/verify/run.py": CoveredBy("integration/test_view_verification.py", _TABLES),
        "operations/verify/topic.py": CoveredBy("integration/test_topic_verification.py", "it compares a log with a topic"),
        "operations/verify/view.py": CoveredBy("integration/test_view_verification.py", _TABLES),
        "schemas/check.py": CoveredBy("e2e/test_commands.py", "it only reads and writes files"),
        "schemas/compatibility.py": CoveredBy("unit/deploy/schemas/test_shapes.py", "shapes are compared by it alone"),
        "schemas/recorded_version.py": CoveredBy("integration/test_rolling_deploy.py", _TABLES),
        "schemas/samples.py": CoveredBy("unit/deploy/schemas/test_shapes.py", "shapes are sampled by it alone"),
        "serving/http_protocol.py": CoveredBy("integration/test_http_protocol.py", "it is a server's protocol"),
    },
    "streams": {
        "integration_topics/publishing.py": CoveredBy("integration/test_integration_topics.py", _BROKER),
        "integration_topics/records.py": CoveredBy("integration/test_integration_topics.py", "it needs a log and a broker"),
        "integration_topics/registration.py": CoveredBy("integration/test_integration_topics.py", _TABLES),
        "integrity/compared_topic.py": CoveredBy("integration/test_topic_verification.py", _VALUE),
        "integrity/integration_verification.py": CoveredBy("integration/test_integration_topics.py", _BROKER),
        "broker/divergence.py": CoveredBy("integration/test_log_went_back.py", _BROKER),
        "security/external_issuer.py": CoveredBy("integration/test_external_issuer.py", "it only talks to an issuer"),
        "security/counters.py": CoveredBy("integration/test_rate_limits.py", _TABLES),
        "commands/incoming.py": CoveredBy("integration/test_incoming_topics.py", _BROKER),
        "commands/handled_commands.py": CoveredBy("integration/test_lost_offsets.py", _TABLES),
        "commands/known_commands.py": CoveredBy("integration/test_rolling_deploy.py", _TABLES),
        "commands/notes.py": CoveredBy("integration/test_commands_by_topic.py", _VALUE),
        "commands/sender.py": CoveredBy("integration/test_commands_by_topic.py", _BROKER),
        "encryption/subject_keys.py": CoveredBy("integration/test_subject_keys.py", _TABLES),
        "integrations/encrypted_files.py": CoveredBy("integration/test_subject_keys.py", "the keys are in the tables"),
        "integrations/eventsourcing_recorder.py": CoveredBy("integration/test_eventsourcing_recorder.py", _TABLES),
        "integrations/mail.py": CoveredBy("integration/test_mail.py", "it only talks to a mail server"),
        "integrity/head_signer.py": CoveredBy("integration/test_signed_heads.py", _TABLES),
        "integrity/log_verification.py": CoveredBy("integration/test_verification.py", "it finds alterations of the tables"),
        "integrity/proof_log.py": CoveredBy("integration/test_verification.py", _TABLES),
        "integrity/signed_heads_topic.py": CoveredBy("integration/test_signed_heads.py", _BROKER),
        "integrity/topic_verification.py": CoveredBy(
            "integration/test_topic_verification.py", "it compares a log with a topic"
        ),
        "database/merged_reads.py": CoveredBy("integration/test_merged_reads.py", _TABLES),
        "log/memory.py": CoveredBy("contract/test_log.py", "the contract of logs is its test"),
        "log/search.py": CoveredBy("e2e/test_audit.py", _TABLES),
        "testing/broker_contract.py": CoveredBy("conformance/test_broker.py", "every broker runs it"),
        "testing/log_contract.py": CoveredBy("contract/test_log.py", "both logs run it"),
        "log/snapshots.py": CoveredBy("contract/test_log.py", _VALUE),
        "log/timers.py": CoveredBy("integration/test_timers.py", _TABLES),
        "migrations/schema_state.py": CoveredBy("integration/test_migrate.py", _TABLES),
        "migrations/view_shapes.py": CoveredBy("integration/test_view_shapes.py", _TABLES),
        "relay/backfill.py": CoveredBy("integration/test_relay.py", "it publishes a log on a topic"),
        "relay/lease.py": CoveredBy("integration/test_relay.py", _TABLES),
        "relay/maintenance.py": CoveredBy("integration/test_growth.py", _TABLES),
        "relay/relay.py": CoveredBy("integration/test_relay.py", "it publishes a log on a topic"),
        "relay/wakeup.py": CoveredBy("integration/test_relay.py", "it only listens to a database"),
        "commands/parked_records.py": CoveredBy("integration/test_incoming_topics.py", _BROKER),
        "subscriptions/checkpoints.py": CoveredBy("integration/test_projector.py", _TABLES),
        "subscriptions/dead_letter_topic.py": CoveredBy("integration/test_dead_letters.py", _BROKER),
        "subscriptions/lost_events.py": CoveredBy("integration/test_log_went_back.py", _BROKER),
        "subscriptions/process_deaths/attempts.py": CoveredBy("integration/test_process_deaths.py", _TABLES),
        "subscriptions/store.py": CoveredBy("integration/test_projector.py", _TABLES),
        "subscriptions/subscriber.py": CoveredBy("integration/test_subscription.py", _VALUE),
    },
    "projectors": {
        "clinical_lab/notifications.py": CoveredBy("unit/projectors/notifications/test_projection.py", "it is a declaration"),
        "projector.py": CoveredBy("integration/test_projector.py", _TABLES),
        "rebuild.py": CoveredBy("integration/test_rebuild.py", _TABLES),
        "rebuild_progress.py": CoveredBy("integration/test_rebuild.py", _TABLES),
        "reset.py": CoveredBy("integration/test_dead_letters.py", _TABLES),
        "service.py": CoveredBy("integration/test_view_shapes.py", "it starts the parts of the projectors' process"),
        "verification.py": CoveredBy("integration/test_view_verification.py", "it compares tables with logs"),
        "versions.py": CoveredBy("integration/test_versions.py", _TABLES),
    },
    "query_api": {
        "app.py": CoveredBy("e2e/test_http.py", "it connects the parts of the API"),
        "clinical_lab/numbers.py": CoveredBy("unit/query_api/clinical_lab/test_results.py", "rows are found by it"),
        "audit/proof.py": CoveredBy("integration/test_verification.py", "it reads the hash chain in the tables"),
        "data_ingestion.py": CoveredBy("e2e/test_data_ingestion.py", "it only declares queries"),
        "http/schema_registry.py": CoveredBy("e2e/test_integration_topics.py", "it shows what is in tables"),
        "http/audit.py": CoveredBy("e2e/test_audit.py", "it hands requests to the audit and logs to the answers"),
        "http/routes.py": CoveredBy("e2e/test_http.py", "it hands requests to views and queries"),
        "partner_alliances/labels.py": CoveredBy(
            "unit/query_api/partner_alliances/test_saga_entries.py", "it is a table of words"
        ),
        "medical_datasets/labels.py": CoveredBy("e2e/test_medical_datasets.py", "it is a table of words"),
        "health_subscriptions/labels.py": CoveredBy("e2e/test_health_subscriptions.py", "it is a table of words"),
        "views/reader.py": CoveredBy("integration/test_view_reader.py", _TABLES),
    },
    "schemas": {
        "engine/operations.py": CoveredBy("unit/aggregates/engine/test_operations.py", _MESSAGES),
        "engine/operation_views.py": CoveredBy("unit/projectors/engine/test_operations.py", _MESSAGES),
        "flight_reservations/customers.py": CoveredBy("unit/aggregates/flight_reservations/test_customers.py", _MESSAGES),
        "flight_reservations/notifications.py": CoveredBy(
            "unit/aggregates/flight_reservations/test_notifications.py", _MESSAGES
        ),
        "medical_datasets/notifications.py": CoveredBy("unit/aggregates/medical_datasets/test_notifications.py", _MESSAGES),
        "flight_reservations/parts.py": CoveredBy("unit/aggregates/flight_reservations/test_itineraries.py", _MESSAGES),
        "flight_reservations/reservations.py": CoveredBy("unit/aggregates/flight_reservations/test_reservations.py", _MESSAGES),
        "flight_reservations/views.py": CoveredBy("unit/projectors/flight_reservations/test_reservations.py", _MESSAGES),
        "flight_reservations/clients/dialect.py": CoveredBy("e2e/test_flight_reservations.py", "it is a table of words"),
        "flight_reservations/clients/gateways.py": CoveredBy("unit/deploy/gateway/test_discovery.py", _ADDRESSES),
        "medical_datasets/parts.py": CoveredBy("unit/aggregates/medical_datasets/test_scrubbing.py", _MESSAGES),
        "medical_datasets/anonymisation.py": CoveredBy("unit/aggregates/medical_datasets/test_anonymisation.py", _MESSAGES),
        "medical_datasets/mapping.py": CoveredBy("unit/aggregates/medical_datasets/test_mapping.py", _MESSAGES),
        "medical_datasets/processing.py": CoveredBy("unit/aggregates/medical_datasets/test_processing.py", _MESSAGES),
        "medical_datasets/views.py": CoveredBy("unit/projectors/medical_datasets/test_anonymisation.py", _MESSAGES),
        "medical_datasets/clients/dialect.py": CoveredBy("e2e/test_medical_datasets.py", "it is a table of words"),
        "medical_datasets/clients/gateways.py": CoveredBy("unit/deploy/gateway/test_discovery.py", _ADDRESSES),
        "health_subscriptions/clients/images.py": CoveredBy("unit/query_api/health_subscriptions/test_images.py", _VALUE),
        "health_subscriptions/clients/records.py": CoveredBy(
            "unit/schemas/health_subscriptions/clients/test_outgoing.py", "it only makes records"
        ),
        "values/dicom.py": CoveredBy("unit/command_api/dicom/test_storing.py", _VALUE),
        "clinical_lab/dialect.py": CoveredBy("e2e/test_collections.py", "it is a table of words"),
        "clinical_lab/notifications.py": CoveredBy("unit/aggregates/clinical_lab/test_notifications.py", _MESSAGES),
        "notifications/messages.py": CoveredBy("unit/aggregates/notifications/test_notification.py", _MESSAGES),
        "notifications/view.py": CoveredBy("unit/projectors/notifications/test_projection.py", _MESSAGES),
        "clinical_lab/views.py": CoveredBy("unit/projectors/clinical_lab/test_results.py", _MESSAGES),
        "clinical_lab/gateways.py": CoveredBy("unit/deploy/gateway/test_discovery.py", _ADDRESSES),
        "clinical_lab/integration.py": CoveredBy("e2e/test_integration_topics.py", "it is a table of records"),
        "integration.py": CoveredBy("unit/streams/integration_topics/test_avro.py", _VALUE),
        "clients/gateway.py": CoveredBy("unit/deploy/gateway/test_routing.py", _VALUE),
        "data_ingestion/gateways.py": CoveredBy("unit/deploy/gateway/test_discovery.py", _ADDRESSES),
        "data_ingestion/dialect.py": CoveredBy("e2e/test_collections.py", "it is a table of words"),
        "data_ingestion/ingestion.py": CoveredBy("unit/aggregates/data_ingestion/test_ingestion.py", _MESSAGES),
        "data_ingestion/processing.py": CoveredBy("unit/aggregates/data_ingestion/test_processing.py", _MESSAGES),
        "data_ingestion/records.py": CoveredBy("unit/projectors/data_ingestion/test_records.py", _MESSAGES),
        "data_ingestion/validation.py": CoveredBy("unit/aggregates/data_ingestion/test_validation.py", _MESSAGES),
        "engine/privacy.py": CoveredBy("e2e/test_encryption.py", _MESSAGES),
        "engine/saga_views.py": CoveredBy("unit/projectors/engine/test_sagas.py", _MESSAGES),
        "health_subscriptions/parts.py": CoveredBy("unit/aggregates/health_subscriptions/test_subscriptions.py", _MESSAGES),
        "health_subscriptions/subscriptions.py": CoveredBy(
            "unit/aggregates/health_subscriptions/test_subscriptions.py", _MESSAGES
        ),
        "health_subscriptions/data_services.py": CoveredBy(
            "unit/aggregates/health_subscriptions/test_data_services.py", _MESSAGES
        ),
        "health_subscriptions/imaging.py": CoveredBy("unit/aggregates/health_subscriptions/test_imaging.py", _MESSAGES),
        "health_subscriptions/notifications.py": CoveredBy(
            "unit/aggregates/health_subscriptions/test_notifications.py", _MESSAGES
        ),
        "health_subscriptions/roles.py": CoveredBy("unit/schemas/test_access.py", _VALUE),
        "health_subscriptions/views.py": CoveredBy("unit/projectors/health_subscriptions/test_subscriptions.py", _MESSAGES),
        "health_subscriptions/clients/dialect.py": CoveredBy("e2e/test_health_subscriptions.py", "it is a table of words"),
        "health_subscriptions/clients/gateways.py": CoveredBy("unit/deploy/gateway/test_discovery.py", _ADDRESSES),
        "partner_alliances/campaigns.py": CoveredBy("unit/aggregates/partner_alliances/test_campaigns.py", _MESSAGES),
        "partner_alliances/compliance.py": CoveredBy("unit/aggregates/partner_alliances/test_compliance.py", _MESSAGES),
        "partner_alliances/contracts.py": CoveredBy("unit/aggregates/partner_alliances/test_contracts.py", _MESSAGES),
        "partner_alliances/clients/gateways.py": CoveredBy(
            "unit/deploy/gateway/test_discovery.py", "it is a table of addresses"
        ),
        "partner_alliances/integrations.py": CoveredBy("unit/aggregates/partner_alliances/test_integrations.py", _MESSAGES),
        "partner_alliances/partners.py": CoveredBy("unit/aggregates/partner_alliances/test_registration.py", _MESSAGES),
        "partner_alliances/clients/programs_in_spanish.py": CoveredBy("unit/query_api/partner_alliances/test_rows.py", _VALUE),
        "partner_alliances/rejections.py": CoveredBy("unit/schemas/partner_alliances/clients/test_dialect.py", _VALUE),
        "partner_alliances/roles.py": CoveredBy("unit/schemas/test_access.py", _VALUE),
        "partner_alliances/views.py": CoveredBy("unit/projectors/partner_alliances/test_partners.py", _MESSAGES),
    },
    "aggregates": {},
    "command_api": {
        "app.py": CoveredBy("e2e/test_http.py", "it connects the parts of the API"),
        "incoming_topics.py": CoveredBy("integration/test_incoming_topics.py", _BROKER),
        "clinical_lab/mail.py": CoveredBy("e2e/test_clinical_lab.py", "it hands mail to a mail server"),
        "notifications/mail.py": CoveredBy("integration/test_mail.py", "it hands mail to a mail server"),
        "medical_datasets/simulated.py": CoveredBy("unit/command_api/medical_datasets/test_parquets.py", "steps fail by it"),
        "health_subscriptions/simulated.py": CoveredBy(
            "unit/command_api/health_subscriptions/test_infrastructure.py", "steps fail by it"
        ),
        "composition.py": CoveredBy("e2e/test_http.py", "it connects the parts of the write side"),
        "handling/appending.py": CoveredBy("unit/command_api/handling/test_handler.py", _STAGE),
        "handling/deciding.py": CoveredBy("unit/command_api/handling/test_handler.py", _STAGE),
        "worker.py": CoveredBy("integration/test_commands_by_topic.py", "it starts the parts of the worker's process"),
        "policies/reactions.py": CoveredBy(
            "integration/test_policy_dead_letters.py", "it parks in tables what a reaction fails for"
        ),
        "policies/runner.py": CoveredBy("integration/test_commands_by_topic.py", "it only connects reactions and delivery"),
        "policies/stores.py": CoveredBy("integration/test_policy_dead_letters.py", "it only names the tables of a policy"),
    },
}
"""By room: its modules without a unit test."""


def modules(room: str) -> set[str]:
    """Returns the paths of a room's modules."""
    paths = (ROOT / room).rglob("*.py")
    return {str(path.relative_to(ROOT / room)) for path in paths if path.name != "__init__.py"}


def unit_tested(room: str) -> set[str]:
    """Returns the paths of modules that a room's unit tests are named after."""
    tests = (ROOT / "tests" / "unit" / room).rglob("test_*.py")
    return {str(path.relative_to(ROOT / "tests" / "unit" / room)).replace("test_", "", 1) for path in tests}


@pytest.mark.parametrize("room", MIRRORED)
def test_each_module_has_a_test_at_its_path_or_is_listed(room: str) -> None:
    assert modules(room) - unit_tested(room) - MIRRORED[room].keys() == set()


@pytest.mark.parametrize("room", MIRRORED)
def test_each_unit_test_is_named_after_a_module(room: str) -> None:
    assert unit_tested(room) - modules(room) == set()


@pytest.mark.parametrize("room", MIRRORED)
def test_the_list_names_modules_without_a_unit_test_and_tests_that_exist(room: str) -> None:
    listed = MIRRORED[room]

    assert listed.keys() - modules(room) == set(), "these modules do not exist any more: remove them from the list"
    assert listed.keys() & unit_tested(room) == set(), "these modules have a unit test now: remove them from the list"
    assert [covered.test for covered in listed.values() if not (ROOT / "tests" / covered.test).exists()] == []
