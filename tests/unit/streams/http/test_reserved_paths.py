"""The paths of the engine, which no system can have."""

import pytest

from streams.http.reserved_paths import why_not_own


@pytest.mark.parametrize("path", ["/tasks", "/healthy", "/commands", "/docs-of-tasks/{id}", "/v1/metrics"])
def test_a_path_is_a_systems_own(path: str) -> None:
    assert why_not_own(path, ["/views"]) is None


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("tasks", "must begin with a slash"),
        ("/", "the engine has / itself"),
        ("/metrics", "the engine has /metrics itself"),
        ("/docs/mine", "the engine has /docs itself"),
        ("/views/{id}", "the engine has /views itself"),
    ],
)
def test_a_reserved_path_is_named(path: str, why: str) -> None:
    assert why in (why_not_own(path, ["/views"]) or "")
