"""Parameters: names that nobody knows are rejected, and so is what no log can hold."""

import pytest
from pydantic import ValidationError

from tests.unit.deploy.operations.runs import Count


@pytest.mark.parametrize("given", [{"to": "x"}, {"until": 3}, {"secret": "a\x00b"}, {"to": 2**70}])
def test_parameters_are_checked(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Count.model_validate(given)
