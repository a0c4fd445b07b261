"""The bodies of the subscriptions' clients, and the commands that they make."""
