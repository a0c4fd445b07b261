"""The value that travels through the stages."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from command_api.handling.request import NO_FINGERPRINT, CommandRequest
from schemas.clinical_lab.notifications import DeliverNotification, RecordDelivery
from schemas.envelope import CommandEnvelope
from schemas.expected_version import STREAM_EXISTS
from schemas.system import ContextName

ID, CONTEXT = UUID(int=1), ContextName("clinical_lab", "notifications")
DELIVER = DeliverNotification(notification_id=ID, attempt=1)


def test_other_data_keep_the_id_and_all_that_was_said_of_the_command() -> None:
    envelope = CommandEnvelope(data=DELIVER, id=ID, at=MIDNIGHT, correlation_id="c", actor="eva")
    request = CommandRequest(CONTEXT, envelope, STREAM_EXISTS, is_known=True)
    assert request.fingerprint == NO_FINGERPRINT

    other = request.decided_as(RecordDelivery(notification_id=ID, attempt=1))

    assert isinstance(other.command.data, RecordDelivery)
    assert (other.command.id, other.command.actor, other.command.correlation_id) == (ID, "eva", "c")
    assert (other.context, other.expected, other.is_known) == (CONTEXT, STREAM_EXISTS, True)
    assert request.command.data == DELIVER, "the first one is unchanged"
