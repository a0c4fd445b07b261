"""Appending: a batch as arrays, and the receipt of what was appended."""

from uuid import UUID

from aggregates.scenario import MIDNIGHT
from schemas.data_ingestion.ingestion import DataIngested
from schemas.envelope import Metadata
from schemas.expected_version import ANY_VERSION, ExpectedVersion
from streams.log.appending import as_arrays, receipt_of
from streams.log.partitioning import partition_of
from streams.log.reading import Append, Write
from streams.log.stored_events import encode

EVENT = DataIngested(data_id=UUID(int=1), partner_id="p", payload={})


def append(n: int, *writes: Write) -> Append:
    return Append(UUID(int=n), b"f%d" % n, Metadata(command_id=UUID(int=n), correlation_id="c"), writes)


def test_a_batch_names_each_stream_once() -> None:
    one = append(1, Write("a", ExpectedVersion.exact(0), (encode(EVENT),)), Write("b", ANY_VERSION))
    two = append(2, Write("b", ANY_VERSION, (encode(EVENT), encode(EVENT))))

    arrays = as_arrays([one, two], 4)

    streams, partitions = arrays[8], arrays[9]
    assert streams == ["a", "b"]
    assert partitions == f"{{{partition_of('a', 4)},{partition_of('b', 4)}}}"
    assert (arrays[4], arrays[5], arrays[7]) == ("{2,1}", "{1,2,2}", "{1,0,2}")
    assert arrays[11] == ["DataIngested"] * 3


def test_a_receipt_says_whether_the_command_began_its_stream() -> None:
    began = append(1, Write("a", ANY_VERSION, (encode(EVENT), encode(EVENT))))

    assert receipt_of(began, 2, 9, 3, MIDNIGHT).began_stream
    assert not receipt_of(began, 3, 9, 3, MIDNIGHT).began_stream
    assert not receipt_of(append(1, Write("a", ANY_VERSION)), 2, 9, 3, MIDNIGHT).began_stream


def test_a_receipt_counts_only_the_events_of_the_commands_own_stream() -> None:
    several = append(1, Write("a", ANY_VERSION, (encode(EVENT),)), Write("b", ANY_VERSION, (encode(EVENT),)))

    receipt = receipt_of(several, 1, 9, 3, MIDNIGHT)

    assert (receipt.stream, receipt.events, receipt.began_stream) == ("a", ("DataIngested", "DataIngested"), True)
