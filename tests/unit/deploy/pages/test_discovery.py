"""The live pages of the installed systems."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.pages.app import FEED_FILES
from deploy.pages.discovery import installed_pages, wanted_pages
from deploy.pages.live_page import LivePage
from schemas.access import Access
from schemas.errors import Misconfigured
from streams.discovery import installed_catalog

PAGE = LivePage("flight_reservations", 1, Path(), topics=(), access=Access())


def test_pages_are_found_and_named_with_their_ports() -> None:
    catalog = installed_catalog(["flight_reservations", "clinical_lab"])

    assert installed_pages(catalog).keys() == {"flight_reservations"}
    assert wanted_pages(["flight_reservations:7000"], catalog).keys() == {7000}
    with pytest.raises(Misconfigured, match="there is no page 'flights'"):
        wanted_pages(["flights"], catalog)


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ((LivePage("other", 1, Path(), topics=(), access=Access()),), "must be named flight_reservations or"),
        ((PAGE, PAGE), "two pages flight_reservations"),
        ((PAGE, replace(PAGE, name="flight_reservations.web")), "have the same port 1"),
    ],
)
def test_pages_that_cannot_work_are_misconfigured(
    monkeypatch: pytest.MonkeyPatch, pages: tuple[LivePage, ...], why: str
) -> None:
    monkeypatch.setattr("deploy.flight_reservations.PAGES", pages)

    with pytest.raises(Misconfigured, match=why):
        installed_pages(installed_catalog(["flight_reservations"]))


def test_every_page_loads_its_files_from_its_own_origin() -> None:
    for page in installed_pages(installed_catalog()).values():
        assert (page.files / "index.html").is_file()
        for file in (*page.files.iterdir(), *FEED_FILES.iterdir()):
            text = file.read_text().replace("http://www.w3.org/2000/svg", "")  # a namespace, which nothing loads
            assert "http://" not in text and "https://" not in text and "//" not in text.replace("// ", ""), file
