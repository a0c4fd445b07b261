"""Parts that both HTTP APIs share."""
