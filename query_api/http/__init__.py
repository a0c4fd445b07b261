"""The paths of the query API, and its description of itself."""
