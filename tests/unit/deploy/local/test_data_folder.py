"""The data folder: locked for one stack, and plainly rejected if it cannot be used."""

import os
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
