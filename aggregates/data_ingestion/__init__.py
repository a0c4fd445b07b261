"""Data ingestion's decisions and policies."""

from aggregates.data_ingestion import ingestion, processing, validation
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*ingestion.DECISIONS, *validation.DECISIONS, *processing.DECISIONS),
    policies=(*validation.POLICIES, *processing.POLICIES),
)
