"""`caudal recover`: what it prints about a loss."""

import io
from datetime import UTC, datetime
from uuid import UUID

from rich.console import Console

from deploy.operations.recovery.loss import Loss, Unsettled
from deploy.operations.recovery.recovering import print_loss
from deploy.operations.subscriptions.installed import InstalledSubscription
from schemas.system import ContextName
from streams.broker.divergence import Divergence
from streams.log.stored_events import StoredEvent

INGESTION, VALIDATION = ContextName("data_ingestion", "ingestion"), ContextName("data_ingestion", "validation")
LOST = StoredEvent(9, "data-1", 1, UUID(int=1), "DataReceived", 1, 0, 0, datetime(2030, 1, 1, tzinfo=UTC), "{}", "{}")


def test_the_events_that_lost_ones_have_caused_are_counted_by_type_and_log() -> None:
    out = io.StringIO()
    effects = {(VALIDATION, "DataValidated"): 3, (INGESTION, "DataIngested"): 1}

    print_loss(Loss(INGESTION, Divergence(8, [LOST], 1), retaken=0, effects=effects), Console(file=out, soft_wrap=True))

    said = out.getvalue()
    assert "have caused 3 events DataValidated in data_ingestion.validation, which stay." in said
    assert "have caused 1 event DataIngested in data_ingestion.ingestion, which stays." in said


def test_a_policy_whose_commands_have_lost_their_effects_is_named_with_where_it_goes_back_to() -> None:
    out = io.StringIO()
    policy = InstalledSubscription("data_ingestion.validate", "policy", (INGESTION,), ())
    loss = Loss(VALIDATION, Divergence(8, [LOST], 1), retaken=0, unsettled=[Unsettled(policy, INGESTION, 4)])

    print_loss(loss, Console(file=out, soft_wrap=True))

    assert (
        "The policy data_ingestion.validate goes back to position 4 of data_ingestion.ingestion: "
        "it sends commands again whose events are lost."
    ) in out.getvalue()
