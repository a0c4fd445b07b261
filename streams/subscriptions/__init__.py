"""Subscriptions: the topics' events to subscribers, in order and without a gap."""
