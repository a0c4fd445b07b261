"""What all commands of ``caudal`` share: options, printing, connections."""
