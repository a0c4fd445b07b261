"""Files that events name are found at any depth."""

from schemas.health_subscriptions.imaging import ImageAnonymised, ImageQuarantined, ImageRejected
from schemas.message import Event
from schemas.values.files import KeptFile, files_in, may_keep_files

ONE, TWO = (KeptFile(key=key, sha256="a", bytes=1) for key in ("one", "two"))


class Wrapped(Event):
    file: KeptFile | None = None


class Outer(Event):
    files: tuple[KeptFile, ...] = ()
    inner: Wrapped = Wrapped()
    text: str = ""


def test_messages_that_may_name_files_are_known_by_their_types() -> None:
    assert [may_keep_files(one) for one in (Wrapped, Outer, ImageAnonymised)] == [True] * 3
    assert [may_keep_files(one) for one in (ImageRejected, ImageQuarantined)] == [False] * 2


def test_the_files_of_a_message_are_found_at_any_depth() -> None:
    assert list(files_in(Outer(files=(ONE,), inner=Wrapped(file=TWO), text="three"))) == [ONE, TWO]
    assert list(files_in(Outer())) == []
