"""The projections of the medical datasets."""

from projectors.medical_datasets import anonymisation, datasets, parquets

PROJECTIONS = (*anonymisation.PROJECTIONS, *parquets.PROJECTIONS, *datasets.PROJECTIONS)
