"""The documentation's site: it is built without a warning, loads nothing from elsewhere, and has what the code has."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from streams.settings import PREFIX, Settings
from tests.site import PARTS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "tests.site", str(target)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), "warnings are errors"
    return target


@pytest.mark.timeout(300)
def test_every_page_of_the_menu_is_there(site: Path) -> None:
    assert [page for pages in PARTS.values() for page in pages if not (site / f"{page}.html").is_file()] == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loaded = re.compile(r"""<(?:script|img|iframe|link rel="stylesheet")[^>]*(?:src|href)=["']?(https?:)?//""")
    pages = list(site.rglob("*.html"))

    assert len(pages) > 60
    assert [page.name for page in pages if loaded.search(page.read_text())] == []
    assert not [sheet.name for sheet in site.rglob("*.css") if re.search(r"url\(['\"]?https?:", sheet.read_text())]


def test_no_link_of_the_site_leads_nowhere(site: Path) -> None:
    broken = []
    for page in site.rglob("*.html"):
        for target in re.findall(r'href="([^"#?:]+)(?:#[^"]*)?"', page.read_text()):
            if not (page.parent / target).resolve().exists():
                broken.append(f"{page.relative_to(site)}: {target}")
    assert broken == []


def test_the_reference_is_made_of_the_code(site: Path) -> None:
    settings, author = (site / "reference" / name for name in ("settings.html", "author.html"))
    commands, metrics = (site / "reference" / name for name in ("command_line.html", "metrics.html"))

    assert all(f"{PREFIX}{name.upper()}" in settings.read_text() for name in Settings.model_fields)
    assert all(f'id="{name}"' in author.read_text() for name in ("schemas.view.View", "aggregates.decision.Decision"))
    assert 'id="caudal-doctor"' in commands.read_text()
    assert "caudal_relay_lag_seconds" in metrics.read_text()
    assert len(list((site / "_downloads").rglob("*.json"))) == 4


def test_language_models_get_a_list_and_the_whole(site: Path) -> None:
    listed, whole = ((site / name).read_text() for name in ("llms.txt", "llms-full.txt"))

    assert listed.startswith("# Caudal\n\n> ")
    assert all(f"({page}.html)" in listed for pages in PARTS.values() for page in pages)
    assert "make up" in whole
