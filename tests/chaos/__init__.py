"""Chaos: faults at random moments under load, and after them the proof that nothing was lost, doubled or reordered."""
