"""Partitions: the same as in Kafka's own clients."""

from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from streams.log.partitioning import partition_of


@given(st.text(min_size=1), st.integers(1, 64))
def test_a_key_has_the_partition_of_kafkas_default_partitioner(key: str, partitions: int) -> None:
    everywhere = list(range(partitions))

    assert partition_of(key, partitions) == DefaultPartitioner()(key.encode(), everywhere, everywhere)


def test_known_values_of_the_java_client() -> None:
    # murmur2 test vectors of Apache Kafka's UtilsTest: "21" → -973932308, "foobar" → -790332482.
    assert partition_of("21", 1000) == (-973932308 & 0x7FFFFFFF) % 1000
    assert partition_of("foobar", 1000) == (-790332482 & 0x7FFFFFFF) % 1000
