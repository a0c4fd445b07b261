"""Recovery: what is said about a loss."""

from datetime import UTC, datetime
from uuid import UUID

from deploy.operations.installed_subscriptions import InstalledSubscription
from deploy.operations.recovery.loss import Loss, Unsettled
from deploy.operations.recovery.recovering import described
from schemas.system import ContextName
from streams.broker.divergence import Divergence
from streams.log.stored_events import StoredEvent

INGESTION, VALIDATION = ContextName("data_ingestion", "ingestion"), ContextName("data_ingestion", "validation")
LOST = StoredEvent(9, "data-1", 1, UUID(int=1), "DataReceived", 1, 0, 0, datetime(2030, 1, 1, tzinfo=UTC), "{}", "{}")


def test_the_events_that_lost_ones_have_caused_are_counted_by_type_and_log() -> None:
    effects = {(VALIDATION, "DataValidated"): 3, (INGESTION, "DataIngested"): 1}

    said = list(described(Loss(INGESTION, Divergence(8, [LOST], 1), retaken=0, effects=effects)))

    assert "The lost events have caused 3 events DataValidated in data_ingestion.validation, which stay." in said
    assert "The lost events have caused 1 event DataIngested in data_ingestion.ingestion, which stays." in said


def test_a_policy_whose_commands_have_lost_their_effects_is_named_with_where_it_goes_back_to() -> None:
    policy = InstalledSubscription("data_ingestion.validate", "policy", (INGESTION,), ())
    loss = Loss(VALIDATION, Divergence(8, [LOST], 1), retaken=0, unsettled=[Unsettled(policy, INGESTION, 4)])

    assert (
        "The policy data_ingestion.validate goes back to position 4 of data_ingestion.ingestion: "
        "it sends commands again whose events are lost."
    ) in described(loss)
