"""Data ingestion's projections."""

from projectors.data_ingestion import records

PROJECTIONS = records.PROJECTIONS
