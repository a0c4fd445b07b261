"""Which partition a key's records travel in: murmur2, as Kafka's own clients choose."""

from functools import lru_cache

from aiokafka.partitioner import murmur2


@lru_cache(maxsize=100_000)
def partition_of(key: str, partitions: int) -> int:
    """The partition of a key, the same as every Kafka client's default partitioner would choose."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)
