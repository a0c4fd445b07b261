"""Rejections of files: they reach the caller from the process in which a file is worked on."""

import pickle

import pytest

from command_api.dicom.rejections import NotDeidentifiable, Reason
from schemas.errors import Rejected


@pytest.mark.parametrize("reason", Reason)
def test_a_rejection_comes_back_from_another_process_with_its_reason(reason: Reason) -> None:
    error = pickle.loads(pickle.dumps(NotDeidentifiable(reason)))

    assert issubclass(NotDeidentifiable, Rejected)
    assert error.reason is reason
    assert error.detail == reason.value
