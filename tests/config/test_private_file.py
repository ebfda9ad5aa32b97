"""What may hold passwords is readable by its owner only, whatever stood there before."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from aggregator.config.lists.private_file import others_may_read, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_hearted() -> object:
    """A umask that lets everybody read."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_file_is_for_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    write_private(path, b"secret", replace=False)
    assert (path.read_bytes(), mode(path)) == (b"secret", 0o600)
    assert os.listdir(tmp_path) == ["a.yaml"]


def test_a_file_that_others_could_read_becomes_one_that_they_cannot(tmp_path: Path) -> None:
    path, link = tmp_path / "a.opml", tmp_path / "link"
    path.write_bytes(b"old")
    link.symlink_to(path)
    with path.open("rb") as held:  # whoever has it open sees the old one
        write_private(link, b"secret", replace=True)
        assert held.read() == b"old"
    assert (path.read_bytes(), mode(path), link.is_symlink()) == (b"secret", 0o600, True)


def test_a_file_that_is_there_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    path, dangling = tmp_path / "a.yaml", tmp_path / "b.yaml"
    path.write_bytes(b"mine")
    dangling.symlink_to(tmp_path / "elsewhere")
    for there in (path, dangling):
        with pytest.raises(FileExistsError):
            write_private(there, b"secret", replace=False)
    assert path.read_bytes() == b"mine"
    assert sorted(os.listdir(tmp_path)) == ["a.yaml", "b.yaml"]


def test_a_file_is_told_from_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for permissions, read_by_others in ((0o644, True), (0o640, True), (0o600, False)):
        path.touch()
        path.chmod(permissions)
        with path.open("rb") as file:
            assert others_may_read(file.fileno()) is read_by_others
    ends = os.pipe()
    assert not any(map(others_may_read, ends))
    for end in ends:
        os.close(end)
