"""Subscriptions: events from the topics to subscribers, in order and without a gap."""
