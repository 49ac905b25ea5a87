from pathlib import Path

import pytest

from nvs_jax.disk import atomic_folder, atomic_path
from tests.media.listing import names


class Interrupted(BaseException):
    """Like KeyboardInterrupt: not an Exception."""


def test_a_file_appears_complete(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folders" / "a.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("half")
        assert not target.exists()
        assert temporary.suffix == ".txt"
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    assert names(target.parent) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_a_file_that_fails_leaves_the_old_one(tmp_path: Path, error) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_file_that_was_never_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "a.txt"):
        pass
    assert names(tmp_path) == []


def test_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain.txt").write_text("")
    (tmp_path / "plain").mkdir()
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("")
    with atomic_folder(tmp_path / "a"):
        pass
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "plain.txt").stat().st_mode
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_folder_replaces_the_former_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "frames"
    for contents in (["0", "1", "2"], ["0"]):
        with atomic_folder(target) as temporary:
            for name in contents:
                (temporary / name).write_text("")
        assert names(target) == contents
    assert names(tmp_path) == ["frames"]


@pytest.mark.parametrize("error", [ValueError, Interrupted])
def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path, error) -> None:
    target = tmp_path / "frames"
    with atomic_folder(target) as temporary:
        (temporary / "old").write_text("")
    with pytest.raises(error), atomic_folder(target) as temporary:
        (temporary / "half").write_text("")
        raise error
    assert names(target) == ["old"]
    assert names(tmp_path) == ["frames"]


def test_the_old_folder_comes_back_when_renaming_fails(tmp_path: Path) -> None:
    target = tmp_path / "frames"
    with atomic_folder(target) as temporary:
        (temporary / "old").write_text("")
    with pytest.raises(OSError), atomic_folder(target) as temporary:
        temporary.rmdir()
    assert names(target) == ["old"]
    assert names(tmp_path) == ["frames"]
