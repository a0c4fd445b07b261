"""The bottom of the command line: options, settings, printing, and the end of a command."""
