"""Rows of views: which of them a request gets, and whether they are new enough."""
