"""The query API: views, live views, and the audit of the logs."""
