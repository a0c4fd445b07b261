"""The broker: names of topics, provisioning, clients, and records as CloudEvents."""
