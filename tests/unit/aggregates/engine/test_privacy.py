"""Privacy: the erasure of a data subject is recorded once."""

from aggregates.engine.privacy import DECISIONS
from aggregates.scenario import Scenario
from schemas.engine.privacy import RecordErasure, SubjectErased


def test_an_erasure_is_recorded_once_for_each_subject() -> None:
    scenario = Scenario(DECISIONS).when(RecordErasure(subject="ana")).then(SubjectErased(subject="ana"))
    scenario.when(RecordErasure(subject="ana")).then()
    scenario.when(RecordErasure(subject="eva")).then(SubjectErased(subject="eva"))
    assert scenario.streams == ("subject-eva",)
