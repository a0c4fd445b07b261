"""Failures of the contract suite show values, as those of test modules do."""

import pytest

pytest.register_assert_rewrite("streams.testing.log_contract")
