"""The data folder: locked for one stack, and plainly rejected if it cannot be used."""

import os
import stat
from pathlib import Path

import pytest

from deploy.local.data_folder import locked_folder
from schemas.errors import Conflict, Misconfigured


def test_a_folder_is_created_and_locked(tmp_path: Path) -> None:
    with locked_folder(tmp_path / "a" / "b") as folder:
        assert folder.is_dir()
        with (
            pytest.raises(Conflict, match="runs already and is still starting; stop it, or name another"),
            locked_folder(folder),
        ):
            pass

    with locked_folder(folder):
        pass


def test_what_a_stack_wrote_is_private_afterwards_and_nothing_else_changes(tmp_path: Path) -> None:
    ours, shared = tmp_path / "ours", tmp_path / "shared"
    for folder in (ours, shared):
        for path in (folder / "broker" / "kafka.json", folder / "mail" / "1.eml", folder / "keys" / "tokens" / "1.json"):
            path.parent.mkdir(parents=True)
            path.write_text("{}")
            path.chmod(0o644)
        (folder / "postgres").mkdir()
        (folder / "mail" / "link").symlink_to(shared)
    (shared / "another").write_text("a file of somebody else")
    for path in (tmp_path, *tmp_path.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)

    for folder in (ours, shared):
        with locked_folder(folder):
            pass

    assert mode(ours) == 0o700
    assert (mode(shared), mode(shared / "another"), mode(ours / "postgres")) == (0o755, 0o644, 0o755)
    for folder in (ours, shared):
        written = [path for name in ("broker", "keys", "mail") for path in (folder / name, *(folder / name).rglob("*"))]
        assert {mode(path) for path in written if path.is_dir() and not path.is_symlink()} == {0o700}
        assert {mode(path) for path in written if path.is_file()} == {0o600}
        assert mode(folder / "lock") == 0o600


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_a_folder_for_one_run_is_removed() -> None:
    with locked_folder(None) as folder:
        assert folder.is_dir()

    assert not folder.exists()


def test_a_file_in_its_place_is_said_plainly(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    with (
        pytest.raises(Misconfigured, match="cannot be used: it is a file; name another one with --data-dir"),
        locked_folder(file),
    ):
        pass
    with pytest.raises(Misconfigured, match="not a directory"), locked_folder(file / "below"):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="as root another user can be tried")
def test_a_folder_that_may_not_be_written_is_said_plainly(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for parent in list(tmp_path.parents)[:3]:
        parent.chmod(0o755)
    pid = os.fork()
    if pid == 0:
        os.setuid(65534)
        try:
            with locked_folder(tmp_path):
                os._exit(1)
        except Misconfigured as error:
            os._exit(0 if "permission denied" in error.detail else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
