"""The local stack: real parts without Docker, each a process of its own on loopback."""
