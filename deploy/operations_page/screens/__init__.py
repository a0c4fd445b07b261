"""The screens of the operator's page."""
