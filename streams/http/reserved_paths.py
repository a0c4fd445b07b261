"""The paths that both APIs have themselves, and the check of a system's own paths."""

from collections.abc import Iterable

_BOTH_APIS = ("/livez", "/readyz", "/health", "/metrics", "/docs", "/openapi.json")


def why_not_own(path: str, reserved: Iterable[str]) -> str | None:
    """Returns why a system cannot have this path, or ``None``; ``reserved`` are further paths of the engine in one API.

    Everything below a reserved path is reserved, too.
    """
    if not path.startswith("/"):
        return "it must begin with a slash"
    for own in (*_BOTH_APIS, *reserved):
        if path == own or path.startswith(f"{own}/"):
            return f"the engine has {own} itself; choose another one"
    return "the engine has / itself; choose another one" if path == "/" else None
