"""Folders that take their place, and what they never replace."""

import errno
import json
import os
import signal
from pathlib import Path

import pytest

import nvs_jax.disk.publishing
from nvs_jax.disk import CHECKPOINT, PUBLISHED, RESULT, BusyError, published_folder, read_manifest, recover
from nvs_jax.disk.moves import exchange
from nvs_jax.errors import InputError
from tests.media.listing import names


def make(out: Path, content: str = "new", *, overwrite: bool = False, files: tuple[str, ...] = ("a/b.png",), **given):
    with published_folder(out, RESULT, overwrite=overwrite, **given) as folder:
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(content)
        (folder / "run.json").write_text(json.dumps({"content": content}))


def states(home: Path) -> dict[Path, tuple[object, ...]]:
    """What changing anything would change; looking changes the time of the last access alone."""
    return {
        path: (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        for path, status in ((path, path.lstat()) for path in home.rglob("*"))
    }


def refused(out: Path, **options) -> str:
    """The one line, said before any work, with which `out` is left as it was."""
    before = states(out.parent)
    with pytest.raises(InputError) as error, published_folder(out, RESULT, **{"overwrite": True, **options}):
        pytest.fail("nothing may be computed")
    assert states(out.parent) == before
    return str(error.value)


def test_a_folder_appears_whole_and_says_what_it_holds(tmp_path):
    make(tmp_path / "new" / "out")
    assert names(tmp_path / "new") == ["out"]
    assert PUBLISHED[-1] == tmp_path / "new" / "out"
    manifest = read_manifest(tmp_path / "new" / "out", "run.json")
    assert manifest is not None
    assert (manifest.files, manifest.entries["content"]) == ({"a/b.png": 3}, "new")


def test_an_earlier_one_is_replaced_as_a_whole(tmp_path):
    make(tmp_path / "out", files=("old/x", "old/deeper/y"))
    assert "not empty" in refused(tmp_path / "out", overwrite=False)
    make(tmp_path / "out", "newer", overwrite=True)
    assert names(tmp_path / "out") == ["a", "run.json"]
    assert (tmp_path / "out" / "a" / "b.png").read_text() == "newer"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError, SystemExit])
def test_a_block_that_raises_leaves_all_as_it_was(tmp_path, error):
    make(tmp_path / "out", "old")
    with pytest.raises(error), published_folder(tmp_path / "out", RESULT, overwrite=True) as folder:
        (folder / "half").write_text("")
        raise error
    assert names(tmp_path) == ["out"]
    assert (tmp_path / "out" / "a" / "b.png").read_text() == "old"


def another_tools_folder(out):
    out.mkdir()
    (out / "run.json").write_text('{"versions_of": "another tool", "files": {}}')
    (out / "photo.jpg").write_text("mine")
    return "not a result of this program"


def one_of_an_earlier_version(out):
    make(out)
    record = json.loads((out / "run.json").read_text())
    del record["made_by"]
    (out / "run.json").write_text(json.dumps(record | {"versions": {}}))
    return "of an earlier version"


def one_with_a_file_of_the_users(out):
    make(out)
    (out / "a" / "notes.txt").write_text("mine")
    return "holds a/notes.txt, which is no part of the result"


def one_with_another_result_inside(out):
    make(out)
    make(out / "again")
    return "holds again/run.json, which is no part"


def one_whose_frames_are_a_link(out):
    make(out)
    (out / "a").rename(out.parent / "elsewhere")
    (out / "a").symlink_to(out.parent / "elsewhere")
    return "holds a, which is no part"


def one_whose_file_is_a_link(out):
    make(out)
    (out / "a" / "b.png").rename(out.parent / "elsewhere.png")
    (out / "a" / "b.png").symlink_to(out.parent / "elsewhere.png")
    return "holds a/b.png, which is no part"


def a_list_that_names_files_outside(out):
    make(out)
    (out.parent / "precious").write_text("mine")
    record = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps(record | {"files": {"../precious": 4}}))
    return "not a result of this program"


def a_file(out):
    out.write_text("mine")
    return "but a file"


def a_checkpoint(out):
    with published_folder(out, CHECKPOINT, overwrite=False):
        pass
    return "not a result of this program"


def a_link_that_leads_nowhere_but_to_itself(out):
    out.symlink_to(out)
    return "but a file"


NEVER_REPLACED = [
    another_tools_folder,
    one_of_an_earlier_version,
    one_with_a_file_of_the_users,
    one_with_another_result_inside,
    one_whose_frames_are_a_link,
    one_whose_file_is_a_link,
    a_list_that_names_files_outside,
    a_file,
    a_checkpoint,
    a_link_that_leads_nowhere_but_to_itself,
]


@pytest.mark.parametrize("case", NEVER_REPLACED, ids=lambda case: case.__name__)
def test_overwriting_leaves_alone_what_is_not_all_ours(case, tmp_path):
    out = tmp_path / "out"
    assert case(out) in refused(out)


def test_the_place_may_not_be_or_hold_an_input(tmp_path):
    make(tmp_path / "out")
    assert "holds the input" in refused(tmp_path / "out", inputs=[tmp_path / "out" / "a" / "b.png"])
    assert "is the input" in refused(tmp_path / "out", inputs=[tmp_path / "none", tmp_path / "out"])
    (tmp_path / "link").symlink_to(tmp_path / "out" / "a")
    assert "holds the input" in refused(tmp_path / "out", inputs=[tmp_path / "link"])
    make(tmp_path / "out" / "inner", inputs=[tmp_path / "out"])


def test_a_mount_point_is_refused_before_any_work(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"/dev is a mount point.*: choose a folder in it, /dev/result"):
        published_folder(Path("/dev"), RESULT, overwrite=True).__enter__()
    with pytest.raises(InputError, match="a whole disk"):
        published_folder(Path("/"), RESULT, overwrite=True).__enter__()
    (tmp_path / "a b").mkdir()
    mounts = f"36 35 98:0 /mnt {tmp_path}/a\\040b rw,noatime - ext3 /dev/root rw\n".encode()
    monkeypatch.setattr(Path, "read_bytes", lambda path: mounts if path == Path("/proc/self/mountinfo") else b"")
    assert "is a mount point" in refused(tmp_path / "a b")


def test_a_link_to_a_folder_stays_a_link(tmp_path):
    make(tmp_path / "there")
    (tmp_path / "out").symlink_to(tmp_path / "there")
    make(tmp_path / "out", "newer", overwrite=True)
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "there" / "a" / "b.png").read_text() == "newer"


def test_one_process_at_a_time(tmp_path):
    with (
        published_folder(tmp_path / "out", RESULT, overwrite=True),
        pytest.raises(BusyError, match=rf"process {os.getpid()} is working on .*out: wait for it"),
    ):
        make(tmp_path / "out")
    make(tmp_path / "out", overwrite=True)


@pytest.mark.parametrize("exchanging", [True, False])
def test_what_came_into_the_former_meanwhile_is_kept_and_said(tmp_path, exchanging, monkeypatch, capsys):
    if not exchanging:
        monkeypatch.setattr(nvs_jax.disk.publishing, "exchange", lambda *_: False)
    make(tmp_path / "out")
    with published_folder(tmp_path / "out", RESULT, overwrite=True):
        (tmp_path / "out" / "a" / "notes.txt").write_text("mine")
    assert names(tmp_path / "out") == ["run.json"]
    (kept,) = [path for path in tmp_path.iterdir() if path.name != "out"]
    assert [path.relative_to(kept).as_posix() for path in kept.rglob("*")] == ["a", "a/notes.txt"]
    assert f"what else was there is now in {kept}" in capsys.readouterr().err


def test_work_is_not_lost_where_the_place_was_taken_meanwhile(tmp_path):
    with (
        pytest.raises(InputError, match=r"out cannot be replaced .*: what was made is in .*out-[0-9a-f]{8}"),
        published_folder(tmp_path / "out", RESULT, overwrite=True) as folder,
    ):
        (folder / "a").write_text("new")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "precious").write_text("mine")
    assert names(tmp_path / "out") == ["precious"]
    (made,) = [path for path in tmp_path.iterdir() if path.name != "out"]
    assert names(made) == ["a", "run.json"]


@pytest.mark.parametrize("exchanging", [True, False])
def test_work_is_not_lost_where_the_former_cannot_be_moved(tmp_path, exchanging, monkeypatch):
    """As folders of a container's image cannot, whatever their permissions."""
    make(tmp_path / "out", "old")

    def fails(*_):
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(nvs_jax.disk.publishing, "exchange", fails if exchanging else lambda *_: False)
    if not exchanging:
        rename = Path.rename
        monkeypatch.setattr(Path, "rename", lambda path, to: fails() if path == tmp_path / "out" else rename(path, to))
    with pytest.raises(InputError, match="what was made is in"):
        make(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "a" / "b.png").read_text() == "old"
    (made,) = [path for path in tmp_path.iterdir() if path.name != "out"]
    assert (made / "a" / "b.png").read_text() == "new"


def test_a_disk_that_is_full_when_the_folder_is_complete_leaves_the_former(tmp_path, monkeypatch):
    make(tmp_path / "out", "old")

    def full(_):
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="Disk quota exceeded") as failure:
        patched.setattr(os, "fsync", full)
        make(tmp_path / "out", overwrite=True)
    assert failure.value.filename is not None
    assert (tmp_path / "out" / "a" / "b.png").read_text() == "old"
    assert names(tmp_path) == ["out"]


def test_ctrl_c_waits_until_the_folder_is_in_its_place_and_is_not_lost(tmp_path, monkeypatch):
    def interrupted(*folders):
        os.kill(os.getpid(), signal.SIGINT)
        return exchange(*folders)

    make(tmp_path / "out", "old")
    monkeypatch.setattr(nvs_jax.disk.publishing, "exchange", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "a" / "b.png").read_text() == "new"
    assert names(tmp_path) == ["out"]


def users_own(hidden):
    hidden.mkdir()
    (hidden / "script.sh").write_text("mine")


def users_own_with_known_names(hidden):
    for name in ("legs", "result", "former"):
        (hidden / name).mkdir(parents=True)
        (hidden / name / "x").write_text("mine")
    (hidden / "run.json").write_text("{}")


def a_link(hidden):
    (hidden.parent / "elsewhere").mkdir()
    (hidden.parent / "elsewhere" / "x").write_text("mine")
    hidden.symlink_to(hidden.parent / "elsewhere")


@pytest.mark.parametrize("case", [users_own, users_own_with_known_names, a_link], ids=lambda case: case.__name__)
def test_a_hidden_folder_without_our_mark_is_left_alone(case, tmp_path):
    case(tmp_path / ".out.run")
    assert ".out.run is in the way" in refused(tmp_path / "out")
    recover(tmp_path / "out", RESULT)
    assert (tmp_path / ".out.run").exists()


def test_what_a_process_left_before_its_mark_is_used(tmp_path):
    (tmp_path / ".out.run").mkdir()
    (tmp_path / ".out.run" / ".nvs-jax.lock").touch()
    make(tmp_path / "out")
    assert names(tmp_path) == ["out"]


def test_what_a_user_put_into_the_hidden_folder_stays(tmp_path):
    with published_folder(tmp_path / "out", RESULT, overwrite=True) as folder:
        (folder.parent / "notes.txt").write_text("mine")
    assert (tmp_path / ".out.run" / "notes.txt").read_text() == "mine"
    make(tmp_path / "out", overwrite=True)
    assert (tmp_path / ".out.run" / "notes.txt").read_text() == "mine"


def test_exchanging_needs_two_folders(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "a", tmp_path / "b")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "x").touch()
    assert exchange(tmp_path / "a", tmp_path / "b")
    assert (names(tmp_path / "a"), names(tmp_path / "b")) == (["x"], [])
