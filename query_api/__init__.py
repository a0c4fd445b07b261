"""The read side's readers: views, live streams of views, and the audit of what happened."""
