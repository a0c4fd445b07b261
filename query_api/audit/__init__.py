"""The audit: what happened, who did it and why."""
