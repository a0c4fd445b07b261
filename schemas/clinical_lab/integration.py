"""The laboratory's topics for other teams. Nothing of a person is published: those fields are there, and are null."""

from schemas.clinical_lab.results import ResultQueried, ResultRecorded
from schemas.clinical_lab.users import NUMBERS_OF_ROLES, UserCreated
from schemas.envelope import RecordedEvent
from schemas.integration import Content, OutgoingTopic, Record

_NAMESPACE, _VERSION = "com.example", "1.0"
_USER_CREATED = Record(
    "UserCreated",
    {"schema_version": "string", "id": "int", "username": "string", "password": "string", "role": "int"},
    _NAMESPACE,
)
_RESULT_CREATED = Record(
    "ResultCreated", {"schema_version": "string", "result_id": "int", "patient": "string", "result": "string"}, _NAMESPACE
)
_RESULT_QUERIED = Record(
    "ResultQueried",
    {"schema_version": "string", "user_id": "int", "result_id": "int", "queried_by": "string"},
    _NAMESPACE,
)


def _user_created(recorded: RecordedEvent[UserCreated]) -> Content:
    user = recorded.data
    return {
        "schema_version": _VERSION,
        "id": user.number,
        "username": None,
        "password": None,
        "role": NUMBERS_OF_ROLES[user.role],
    }


def _result_created(recorded: RecordedEvent[ResultRecorded]) -> Content:
    return {"schema_version": _VERSION, "result_id": recorded.data.number, "patient": None, "result": None}


def _result_queried(recorded: RecordedEvent[ResultQueried]) -> Content:
    return {"schema_version": _VERSION, "result_id": recorded.data.number, "queried_by": recorded.data.queried_by}


OUTGOING = (
    OutgoingTopic("event-user", UserCreated, _user_created, _USER_CREATED),
    OutgoingTopic("event-topic", ResultRecorded, _result_created, _RESULT_CREATED),
    OutgoingTopic("event-topic", ResultQueried, _result_queried, _RESULT_QUERIED),
)
