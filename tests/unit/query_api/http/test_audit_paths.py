"""The table of the audit's paths, and the endpoints that answer them."""

from query_api.http.audit import AuditEndpoints
from query_api.http.audit_paths import AUDIT_PATHS


def test_every_path_has_an_endpoint_of_its_name() -> None:
    assert all(callable(getattr(AuditEndpoints, one.name)) for one in AUDIT_PATHS)
    assert len({one.path for one in AUDIT_PATHS}) == len(AUDIT_PATHS)
