"""The choice among the instances of an API."""

import time

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from deploy.gateway.upstreams import Upstream


def upstream(count: int) -> Upstream:
    made = Upstream("command", [f"http://127.0.0.1:{port}" for port in range(1, count + 1)])
    for one in made.instances:
        one.failing = None
    return made


def test_the_instance_with_the_fewest_requests_in_progress_is_next() -> None:
    apis = upstream(3)
    one, two, three = apis.instances

    with one.counted(), three.counted():
        assert apis.next() is two
        with two.counted(), two.counted():
            assert apis.next() in (one, three)
    assert [instance.in_progress for instance in apis.instances] == [0, 0, 0]


def test_equal_instances_take_turns() -> None:
    apis = upstream(2)

    assert {apis.next() for _ in range(100)} == set(apis.instances)


def test_an_instance_that_was_taken_out_is_left_alone_for_two_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    apis = upstream(2)
    one, two = apis.instances
    one.take_out()

    assert {apis.next() for _ in range(100)} == {two}
    assert not apis.has_another([two])
    now += 2
    assert {apis.next() for _ in range(100)} == {one, two}


def test_an_instance_that_is_not_ready_gets_requests_only_if_no_other_is() -> None:
    apis = upstream(2)
    one, two = apis.instances
    one.failing = "it answered 503"

    assert {apis.next() for _ in range(100)} == {two}
    assert apis.next([two]) is one
    two.failing = "it does not answer"
    assert {apis.next() for _ in range(100)} == {one, two}
    assert apis.next([one, two]) is None


async def test_readiness_is_asked_for() -> None:
    status = 200

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=status)

    app = web.Application()
    app.router.add_get("/readyz", readyz)
    async with TestServer(app) as server, aiohttp.ClientSession() as session:
        apis = Upstream("command", [str(server.make_url("")).rstrip("/")])
        (one,) = apis.instances
        assert not one.is_usable
        await one.probe(session)
        assert one.is_usable
        assert await apis.why_not_ready() is None
        status = 503
        await one.probe(session)
        assert await apis.why_not_ready() == f"{one.url}: it answered 503"
    async with aiohttp.ClientSession() as session:
        await one.probe(session)
    assert "Cannot connect" in str(one.failing)
