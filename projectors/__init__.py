"""The read side's writers: projections that fold events into views."""
