import os
import subprocess
import sys
from pathlib import Path

import pytest

from nvs_jax.partial_folder import partial_folder, remove_leftovers


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_it_appears_when_it_is_complete_and_replaces_what_was_there(tmp_path: Path):
    for content in ("first", "second"):
        with partial_folder(tmp_path / "made") as partial:
            (partial / content).write_text(content)
            assert partial.name == f"made.partial-{os.getpid()}"
        assert [path.name for path in (tmp_path / "made").iterdir()] == [content]
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_block_that_raises_leaves_all_as_it_was(tmp_path: Path):
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").touch()
    with pytest.raises(KeyboardInterrupt), partial_folder(tmp_path / "made") as partial:
        (partial / "new").touch()
        raise KeyboardInterrupt
    assert [path.name for path in tmp_path.rglob("*")] == ["made", "old"]


def test_leftovers_of_processes_that_are_gone_are_removed_and_no_others(tmp_path: Path, gone: int):
    running = os.getppid()
    removed = [f"made.partial-{gone}", f"made.partial-{os.getpid()}"]
    kept = [f"made.partial-{running}", f"other.partial-{gone}", "made.partial-", f"made.partial-{gone}-x", "made"]
    for name in removed + kept:
        (tmp_path / name).mkdir()
    remove_leftovers(tmp_path / "made")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(kept)


def test_what_was_moved_aside_comes_back_unless_its_place_is_taken(tmp_path: Path, gone: int):
    aside = tmp_path / f"made.replaced-{gone}"
    for content in ("old", "older"):
        aside.mkdir()
        (aside / content).touch()
        remove_leftovers(tmp_path / "made")
        assert [path.name for path in tmp_path.rglob("*")] == ["made", "old"]


def test_a_place_that_does_not_exist_has_no_leftovers(tmp_path: Path):
    remove_leftovers(tmp_path / "absent" / "made")
    assert not (tmp_path / "absent").exists()
