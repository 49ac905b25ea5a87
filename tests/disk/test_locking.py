"""Locks hold between open files, as they do between processes, and leave nothing behind."""

import os
import re

import pytest

from nvs_jax.disk.locking import BusyError, locked_folder, one_at_a_time


def test_the_second_is_told_who_the_first_is(tmp_path):
    folder, out = tmp_path / ".out.run", tmp_path / "out"
    with locked_folder(folder, "lock", out):
        said = re.escape(f"process {os.getpid()} is working on {out}: wait for it, or choose another --out")
        with pytest.raises(BusyError, match=said), locked_folder(folder, "lock", out):
            pytest.fail("two hold one lock")
    with locked_folder(folder, "lock", out):
        assert (folder / "lock").read_text() == str(os.getpid())


def test_a_lock_ends_with_an_error_and_with_its_folder(tmp_path):
    folder = tmp_path / ".out.run"
    with pytest.raises(RuntimeError), locked_folder(folder, "lock", tmp_path):
        raise RuntimeError
    with locked_folder(folder, "lock", tmp_path):
        (folder / "lock").unlink()
        folder.rmdir()
    with locked_folder(folder, "lock", tmp_path):
        assert (folder / "lock").exists()


def test_the_number_of_an_earlier_process_is_written_over_as_a_whole(tmp_path):
    (tmp_path / "lock").write_text("9" * 19)
    with locked_folder(tmp_path, "lock", tmp_path):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_lock_that_is_a_link_is_not_written_through(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "lock").symlink_to(tmp_path / "victim")
    with pytest.raises(OSError), locked_folder(tmp_path, "lock", tmp_path):
        pytest.fail("locked a link")
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_file_made_for_its_lock_goes_with_it_if_it_stays_empty(tmp_path):
    path = tmp_path / "new" / "records.jsonl"
    said = pytest.raises(BusyError, match="another process is working on")
    with one_at_a_time(path, path), said, one_at_a_time(path, path):
        pytest.fail("two hold one lock")
    assert not path.parent.exists()
    with one_at_a_time(path, path):
        path.write_text("a line")
    with one_at_a_time(path, path):
        pass
    assert path.read_text() == "a line"


def test_an_empty_file_that_was_there_stays(tmp_path):
    path = tmp_path / "records.jsonl"
    path.touch()
    with one_at_a_time(path, path):
        pass
    assert path.exists()
