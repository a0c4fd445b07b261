"""The decisions and the saga of the medical datasets."""

from aggregates.medical_datasets import anonymisation, anonymising, mapping, processing
from aggregates.system import Domain

DOMAIN = Domain(
    decisions=(*anonymisation.DECISIONS, *mapping.DECISIONS, *processing.DECISIONS),
    sagas=(anonymising.ANONYMISING,),
)
