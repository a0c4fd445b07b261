"""The clinical laboratory as its clients use it."""

from collections.abc import Mapping

from tests.stack import RunningStack

Headers = Mapping[str, str]


async def signed_in(stack: RunningStack, username: str, role: int) -> Headers:
    """A new user, signed in."""
    created = await stack.commands.post("/users", json={"username": username, "password": "password2", "role": role})
    assert created.status_code == 201, created.text
    login = await stack.commands.post("/login", json={"username": username, "password": "password2"})
    assert (login.status_code, login.headers["cache-control"]) == (200, "no-store"), login.text
    return {"Authorization": f"Bearer {login.json()['access_token']}"}


async def recorded(stack: RunningStack, clinician: Headers, **body: str) -> tuple[int, Headers]:
    """A new result: its number, and what makes a read wait for it."""
    answer = await stack.commands.post("/results", json=body, headers=clinician)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], {"Consistency-Token": answer.headers["consistency-token"]}
