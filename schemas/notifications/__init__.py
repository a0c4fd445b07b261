"""Notifications that any system may have: mail that is sent once for each cause, and tried again for a limited time.

A system declares the messages as classes of its own, each a subclass of one here, and the view as a subclass of
`NotificationRow`. The packages of this name in the other rooms have the decisions, the mail, and the projection.
"""
