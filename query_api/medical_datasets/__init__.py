"""The queries of the medical datasets, whose clients read Spanish."""

from query_api.medical_datasets import rows
from query_api.medical_datasets.labels import SAGA_LABELS as SAGA_LABELS

QUERIES = rows.QUERIES
