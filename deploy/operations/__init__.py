"""The commands of operators: what runs and what is wrong, repairs, proofs, keys."""
