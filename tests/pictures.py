"""Pictures of the operator's page for the documents: `python -m tests.pictures` takes them with a stack of its own."""

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page

from tests.browser import chromium
from tests.own_package import installed
from tests.stack import RunningStack, running_stack

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
PARTNER = {
    "nombre": "Partner ABC", "tipo": "CORPORATIVO",
    "identificacion_fiscal": {"pais": "ES", "numero": "B58378431"},
    "cuenta_bancaria": {"iban": "ES9121000418450200051332"},
}  # fmt: skip


async def filled(stack: RunningStack) -> None:
    """Sends what the pictures show: deliveries, an onboarding, and an order that a projection cannot handle."""
    for number in range(40):
        await stack.commands.post("/ingest", json={"partner_id": f"partner{number % 4}", "payload": {"age": 20 + number}})
    await stack.commands.post("/partners", json=PARTNER)
    for loaves in (2, 0, 3, 0):
        await stack.commands.post("/commands/bakery/order-bread", json={"loaves": loaves, "cents": 600})
    await asyncio.sleep(6)


async def take(page: Page, url: str) -> None:
    """Takes every picture."""

    async def shot(name: str, path: str = "", wait: float = 1) -> None:
        if path:
            await page.goto(url + path)
        await asyncio.sleep(wait)
        await page.screenshot(path=PICTURES / f"operations_{name}.png")

    await shot("now", "/", wait=12)
    await shot("log", "/log?log=data_ingestion.ingestion")
    await shot("event", "/log/data_ingestion.ingestion/2")
    await page.goto(f"{url}/log?log=partner_alliances.contracts")
    await page.locator("tbody a[href^='/streams']").first.click()
    await shot("stream")
    await shot("subscriptions", "/subscriptions")
    await shot("dead_letters", "/dead-letters")
    await page.locator("tbody a").first.click()
    await shot("dead_letter")
    await shot("views", "/views")
    await page.goto(f"{url}/views/data_ingestion.records")
    await shot("rows")
    await page.locator("tbody a").first.click()
    await shot("row")
    await shot("sagas", "/sagas?which=all")
    await page.locator("tbody a").first.click()
    await shot("saga")
    await page.goto(f"{url}/operate/verify")
    await shot("plan")
    await page.get_by_label("Why?").fill("before the audit")
    await page.get_by_role("button", name="Do it").click()
    await page.wait_for_url("**/runs/*")
    await shot("run", wait=6)
    await shot("contracts", "/contracts?name=deliver")
    await shot("contract", "/contracts/data_ingestion.ingestion/DataReceived")
    await page.goto(f"{url}/send/data_ingestion.ingestion/receive-data")
    await page.get_by_role("button", name="Send").click()
    await shot("send")
    await page.get_by_role("link", name="What became of it").click()
    await shot("command", wait=4)
    await shot("proof", "/proof", wait=2)
    await shot("subjects", "/subjects")
    await shot("history", "/operations")


async def main() -> None:
    """Runs a stack, and takes the pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        systems = "bakery,data_ingestion,partner_alliances"
        environment = {
            **installed("bakery", Path(folder) / "packages"),
            "CAUDAL_SYSTEMS": systems,
            "CAUDAL_DEAD_LETTER_ATTEMPTS": "1",
        }
        async with running_stack(environment=environment) as stack, chromium() as browser:
            await filled(stack)
            page = await browser.new_page(viewport={"width": 1100, "height": 720})
            await page.goto(f"{stack.endpoints['operations']}/enter/{stack.endpoints['page_code']}")
            await take(page, str(stack.endpoints["operations"]))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
