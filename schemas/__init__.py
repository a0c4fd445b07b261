"""The published language: commands, events, views, their envelopes and errors. Data without I/O."""
