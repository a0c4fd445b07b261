"""The gateway process: one origin for the clients of a system. It forwards requests to both APIs, and keeps nothing on disk."""
