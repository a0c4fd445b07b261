"""Orders and questions: what a command asks for, and how that is carried out here or behind a URL."""
