"""Security of both APIs: tokens, access control, rate limits."""
