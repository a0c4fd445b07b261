"""The documents' tests use the end-to-end tests' stack."""

from tests.e2e.conftest import stack

__all__ = ["stack"]
