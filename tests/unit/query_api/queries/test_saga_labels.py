"""Labels of sagas, and the English words in the place of those that are missing."""

from query_api.queries.saga_labels import SagaLabels


def test_a_status_without_a_label_is_shown_in_capital_letters() -> None:
    labels = SagaLabels(statuses={"running": "INICIADA"}, steps={"failed": "ERROR"})

    assert [labels.status("running"), labels.status("completed")] == ["INICIADA", "COMPLETED"]
    assert [labels.step("failed"), labels.step("received")] == ["ERROR", "RECEIVED"]
