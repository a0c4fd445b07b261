"""Live views: rows are sent to clients when they change."""
