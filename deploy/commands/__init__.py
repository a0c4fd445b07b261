"""The commands of the command line that operate an installation, and how they run: here, or behind a URL."""
