"""Commands: what became of one."""
