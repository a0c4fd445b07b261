"""Other systems: applications of the package `eventsourcing`, and mail."""
