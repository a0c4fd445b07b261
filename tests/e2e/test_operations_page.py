"""The operator's page in a browser: a stranger finds what is wrong and repairs it, without the command line."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import ConsoleMessage, Page, expect

from deploy.operations_page.page import SCREENS
from tests.browser import chromium
from tests.conftest import eventually
from tests.own_package import installed
from tests.stack import RunningStack, caudal, running_stack

SERIOUS = ("serious", "critical")
MORE = ("/contracts/bakery.orders/BreadOrdered", "/contracts/bakery.orders/order-bread", "/send/bakery.orders/order-bread")
PAUSE = "/operate/subscriptions/pause?subscription=bakery.orders"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The environment of processes that find the bakery."""
    packages = installed("bakery", tmp_path_factory.mktemp("bakery") / "packages")
    return {**packages, "CAUDAL_SYSTEMS": "bakery", "CAUDAL_DEAD_LETTER_ATTEMPTS": "1"}


@pytest.fixture(scope="module")
async def stack(environment: Mapping[str, str]) -> AsyncIterator[RunningStack]:
    async with running_stack(environment=environment) as running:
        for loaves in (2, 0, 3):
            body = {"loaves": loaves, "cents": 600}
            assert (await running.commands.post("/commands/bakery/order-bread", json=body)).status_code == 201
        yield running


@asynccontextmanager
async def opened(stack: RunningStack, width: int = 1200) -> AsyncIterator[Page]:
    """The page of an operator who has opened the address that `caudal up` prints; no fault of a script is overlooked."""
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": width, "height": 800})
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if _is_fault(message) else None)
        await page.goto(f"{url(stack)}/enter/{stack.endpoints['page_code']}")
        yield page
        assert faults == []


def _is_fault(message: ConsoleMessage) -> bool:
    """Whether a message is not only about the status of an answer."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")


def url(stack: RunningStack) -> str:
    return str(stack.endpoints["operations"])


async def do_it(page: Page, reason: str) -> None:
    """Does what the plan on the screen says, and waits for its end."""
    await page.get_by_label("Why?").fill(reason)
    await page.get_by_role("button", name="Do it").click()
    await page.wait_for_url("**/runs/*")
    await expect(page.locator(".answer")).to_have_text("Done.", timeout=30_000)


@pytest.mark.timeout(300)
async def test_a_stranger_repairs_a_poisoned_event_rebuilds_its_view_and_proves_its_log(
    stack: RunningStack, environment: Mapping[str, str]
) -> None:
    async with opened(stack) as page:
        await expect(page.locator(".answer")).to_contain_text("dead letter", timeout=30_000)
        await page.get_by_role("link", name="Dead letters").click()
        await expect(page.locator(".answer")).to_have_text("1 event of 1 stream could not be handled.")
        await expect(page.locator(".error")).to_contain_text("ZeroDivisionError")
        await page.get_by_role("link", name="bakery.orders/orders@2").click()
        data = page.get_by_label("The data that bakery.orders gets")
        assert '"loaves": 0' in await data.input_value()

        await data.fill(re.sub('"loaves": 0', '"loaves": "many"', await data.input_value()))
        await page.get_by_role("button", name="Check, and see").click()
        await expect(page.locator(".answer")).to_contain_text("cannot be read as BreadOrdered")
        await page.go_back()
        await data.fill(re.sub('"loaves": "?\\w+"?', '"loaves": 1', await data.input_value()))
        await page.get_by_role("button", name="Check, and see").click()
        await do_it(page, "an order of nothing is one of one loaf")
        await page.get_by_role("link", name="Dead letters").click()
        await page.get_by_role("button", name="Redrive…", exact=True).click()
        await expect(page.locator(".command")).to_contain_text("caudal dead-letters redrive --subscription bakery.orders")
        await do_it(page, "it is repaired")

        await page.get_by_role("link", name="Views").click()
        row = page.get_by_role("row").filter(has_text="bakery.orders")
        await row.get_by_role("button", name="Rebuild…").click()
        await do_it(page, "to be sure")
        await page.get_by_role("link", name="Views").click()
        await page.get_by_role("link", name="bakery.orders").click()
        await expect(page.locator(".answer")).to_have_text("3 rows.")
        await page.get_by_role("row").filter(has_text="600").get_by_role("link").click()
        await expect(page.locator(".answer")).to_have_text("1 event made this row.")

        await page.get_by_role("link", name="BreadOrdered").click()
        await expect(page.locator(".answer")).to_contain_text("because of the command order-bread")
        await page.get_by_role("button", name="Verify this log…").click()
        await do_it(page, "to show its proof")
        await expect(page.locator(".said")).to_contain_text("complete and unaltered")

        await page.get_by_role("link", name="Operations", exact=True).click()
        for operation in ("dead-letters/edit", "dead-letters/redrive", "projections/rebuild", "verify"):
            await expect(page.get_by_role("row").filter(has_text=operation)).to_contain_text("local-operator")
    code, out, err = await caudal("verify", "--data-dir", str(stack.data_dir), environment=environment)
    assert code == 0, out + err


async def test_every_screen_is_accessible_also_on_a_phone(stack: RunningStack) -> None:
    paths = [screen.path for screen in SCREENS if screen.in_menu]
    (first,) = await stack.fetch("select stream from bakery__orders.events where position = 1")
    paths.append(f"/streams/bakery.orders/{first['stream']}")
    async with opened(stack, width=390) as page:
        faults = []
        for path in [*paths, "/views/bakery.orders", "/log/bakery.orders/1", "/operate/verify", PAUSE, *MORE, "/sign-in"]:
            answer = await page.goto(url(stack) + path)
            assert answer is not None
            assert answer.status == 200, path
            found = await Axe().run(page)
            faults += [
                f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}"
                for one in found.response["violations"]
                if one["impact"] in SERIOUS
            ]
            assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} is too wide"
        assert faults == [], "\n".join(faults)


async def test_a_screen_changes_while_it_is_looked_at(stack: RunningStack) -> None:
    async with opened(stack) as page:
        await page.goto(f"{url(stack)}/log?log=bakery.orders")
        before = await page.locator("tbody tr").count()
        await stack.commands.post("/commands/bakery/order-bread", json={"loaves": 5, "cents": 900})

        await expect(page.locator("tbody tr")).to_have_count(before + 1, timeout=10_000)


async def test_it_works_by_keyboard(stack: RunningStack) -> None:
    async with opened(stack) as page:
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="To the content")).to_be_focused()
        subscriptions = page.get_by_role("link", name="Subscriptions")
        for _ in range(20):
            if await subscriptions.evaluate("element => element === document.activeElement"):
                break
            await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("heading", name="Subscriptions")).to_be_visible()


async def test_nobody_sees_or_does_anything_without_signing_in(stack: RunningStack) -> None:
    async with httpx.AsyncClient(base_url=url(stack), verify=False) as client:
        for path in ("/", "/log", "/operate/verify", "/live/", "/runs/1"):
            answer = await client.get(path)
            assert (answer.status_code, answer.headers["location"].startswith("/sign-in?next=")) == (303, True), path
        assert (await client.get("/enter/another-code")).status_code == 403
        wrong = await client.post("/sign-in", data={"token": "x.y.z"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (401, False)

        token = stack.token("operator")["Authorization"].removeprefix("Bearer ")
        right = await client.post("/sign-in?next=//example.org", data={"token": token})
        assert (right.status_code, right.headers["location"]) == (303, "/")
        cookie = right.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert (await client.get("/")).status_code == 200
        assert (await client.get("/log")).status_code == 403, "an operator reads no bodies"
        assert (await client.get("/api/status")).status_code == 401, "the API takes no cookie"
        stolen = await client.post(
            "/operate/subscriptions/pause",
            data={"subscription": "bakery.orders"},
            headers={"Origin": "http://example.org", "Sec-Fetch-Site": "cross-site"},
        )
        assert (stolen.status_code, "sent by another page" in stolen.text) == (403, True)
        policy = (await client.get("/")).headers["content-security-policy"]
        assert "default-src 'none'" in policy


async def test_a_command_is_sent_from_its_contract_and_followed_to_its_views(
    stack: RunningStack, environment: Mapping[str, str]
) -> None:
    async with opened(stack) as page:
        await page.get_by_role("link", name="Contracts").click()
        await expect(page.locator(".answer")).to_contain_text("contexts.")
        await page.get_by_label("Name").fill("bread")
        await page.get_by_role("button", name="Filter").click()
        await expect(page.locator(".answer")).to_have_text("1 command and 1 event of 1 context.")
        await page.get_by_role("link", name="order-bread").click()
        await page.get_by_role("link", name="Send one…").click()
        await page.get_by_label("loaves").fill("many")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator(".answer")).to_contain_text("loaves is no JSON")
        await page.go_back()
        await page.get_by_label("loaves").fill('"many"')
        await page.get_by_label("cents").fill("700")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("heading", name="Answer: 422")).to_be_visible()
        await expect(page.get_by_label("loaves")).to_have_value('"many"')
        await page.get_by_label("loaves").fill("7")
        await page.get_by_role("button", name="Send").click()
        await expect(page.get_by_role("heading", name="Answer: 201")).to_be_visible()
        await page.get_by_role("link", name="What became of it").click()
        await expect(page.locator(".answer")).to_have_text(
            "It recorded 1 event, and everyone who follows them has them.", timeout=15_000
        )
        found = await Axe().run(page)
        assert [one["id"] for one in found.response["violations"] if one["impact"] in SERIOUS] == []
        shown = await page.locator(".command code").inner_text()

    code, out, err = await caudal(*shown.split()[1:], "--data-dir", str(stack.data_dir), environment=environment)

    assert (code, err) == (0, "")
    assert "order-bread" in out
    assert "projection bakery.orders has them" in out


async def test_data_of_any_size_is_sent_in_a_body(stack: RunningStack) -> None:
    token = stack.token("operator", "auditor")["Authorization"].removeprefix("Bearer ")
    data = {"name": "bakery.orders-1", "data": "x" * 500_000}
    async with httpx.AsyncClient(base_url=url(stack), verify=False, cookies={"caudal_operator": token}) as client:
        answer = await client.post("/plan/dead-letters/edit", data=data)
        stolen = await client.post("/plan/dead-letters/edit", data=data, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code in (404, 422), "there is no such dead letter"
    assert stolen.status_code == 403


async def test_an_order_of_the_page_is_the_command_that_it_shows(stack: RunningStack, environment: Mapping[str, str]) -> None:
    async with opened(stack) as page:
        await page.goto(f"{url(stack)}/operate/subscriptions/reset?subscription=bakery.orders&to=beginning")
        shown = await page.locator(".command code").inner_text()

    code, out, err = await caudal(*shown.split()[1:-1], "--data-dir", str(stack.data_dir), environment=environment)

    assert (code, err) == (0, "")
    assert "will be emptied" in out


async def test_a_screen_says_what_is_out_of_reach_and_goes_on(stack: RunningStack) -> None:
    async with opened(stack) as page:
        await page.goto(f"{url(stack)}/subscriptions")
        stack.kill("postgres")

        async def ready() -> bool:
            return await stack.why_not_ready("operations") is None

        await asyncio.sleep(3)
        await eventually(ready, 60, "the stack's recovery")
        await expect(page.locator("h1")).to_have_text("Subscriptions", timeout=20_000)
