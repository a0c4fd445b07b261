"""The live page of the medical datasets."""

from pathlib import Path

from deploy.pages.live_page import LivePage
from schemas.access import Access
from schemas.medical_datasets.clients.outgoing import DATASETS, STEPS

PAGES = (
    LivePage(
        "medical_datasets",
        5679,
        Path(__file__).parent / "page",
        topics=(DATASETS, STEPS),
        access=Access.to("operator", open_in_seed=True),
    ),
)
