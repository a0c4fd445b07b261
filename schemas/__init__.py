"""The published language: commands, events, views, their envelopes and errors. Pure data, nothing that does I/O."""
