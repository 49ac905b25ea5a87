"""Copies of what lies in object stores: where readers find files, and gone when nobody needs them."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nvs_jax.disk import at_hand, job_at_hand
from nvs_jax.disk.copies import _sweep
from nvs_jax.errors import InputError
from nvs_jax.remote import COPIES, spelt, write
from nvs_jax.settings import PathSettings, RenderSettings
from nvs_jax.settings.jobs import SingleJob, ViewsJob
from tests.stores import at, memory_store


@pytest.fixture(autouse=True)
def bucket():
    with memory_store() as address:
        for name in ("photo.png", "path.json", "depth.npy", "svd/unet/config.json", "svd/model_index.json"):
            write(at(address) / name, name.encode())
        for name in ("images/a.png", "images/b.png", "transforms.json"):
            write(at(address) / "church" / name, name.encode())
        yield address
        COPIES.clear()


def single(bucket: str, **options) -> SingleJob:
    settings = RenderSettings(path=PathSettings("file", file=Path(f"{bucket}/path.json")))
    given = {"photo": Path(f"{bucket}/photo.png"), "out": Path(f"{bucket}/out"), "settings": settings}
    return SingleJob(**(given | options))


def test_weights_are_copied_once_and_stay(bucket):
    copy = at_hand(f"{bucket}/svd")
    assert {path.relative_to(copy).as_posix() for path in copy.rglob("*.json")} == {
        "unet/config.json",
        "model_index.json",
    }
    assert copy.name == "svd"
    assert at_hand(Path(f"{bucket}/svd")) == copy
    assert (at_hand(f"{bucket}/svd/model_index.json")).read_text() == "svd/model_index.json"
    assert at_hand("svd") == Path("svd")
    assert not at_hand(f"{bucket}/none").exists()


def test_a_jobs_inputs_are_files_while_it_lasts(bucket):
    job = single(bucket, depth=Path(f"{bucket}/auto"), weights=f"{bucket}/svd")
    with job_at_hand(job) as near:
        kept = at_hand(near.weights or "")
        assert near.photo.read_text() == "photo.png"
        assert near.photo.name == "photo.png"
        assert near.settings.path.file is not None
        assert near.settings.path.file.read_text() == "path.json"
        assert (near.out, near.weights, near.depth) == (job.out, job.weights, job.depth)
        assert spelt(f"{near.photo} is no picture") == f"{bucket}/photo.png is no picture"
    assert not near.photo.parent.exists()
    assert kept.exists()
    local = SingleJob(photo=Path("a.png"), out=Path("b"))
    with job_at_hand(local) as near:
        assert near is local


def test_a_scenes_pictures_come_along(bucket):
    with job_at_hand(ViewsJob(scene=Path(f"{bucket}/church/transforms.json"), out=Path("out"))) as near:
        assert near.scene.name == "transforms.json"
        assert (near.scene.parent / "images" / "a.png").exists()
        assert not (near.scene.parent / "svd").exists()


def test_what_no_disk_can_hold_is_refused_before_it_is_read(bucket, monkeypatch):
    write(at(bucket) / "bad/../../a", b"")
    with pytest.raises(InputError, match="holds an object called"):
        at_hand(f"{bucket}/bad")
    monkeypatch.setattr("nvs_jax.remote.store.MOST_OBJECTS", 2)
    monkeypatch.setattr("shutil.disk_usage", lambda _: os.terminal_size((0, 0)) and type("Usage", (), {"free": 5}))
    with pytest.raises(OSError, match=r"No space left on device for the 0\.0 MB of memory://bucket/photo\.png"):
        at_hand(f"{bucket}/photo.png")


def test_the_size_of_large_copies_is_said(bucket, capsys):
    write(at(bucket) / "large/weights", bytes(2**20))
    at_hand(f"{bucket}/large")
    assert capsys.readouterr().err.startswith(f"{bucket}/large: 1 files, 1.0 MB, are fetched to ")


def test_the_copies_of_a_process_that_was_killed_are_removed(tmp_path):
    code = (
        "import os, nvs_jax.disk.copies as copies\n"
        "print(copies.scratch_folder(), flush=True)\n"
        "os.kill(os.getpid(), 9) if {killed} else None"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    for killed in (True, False):
        ran = subprocess.run(
            [sys.executable, "-c", code.format(killed=killed)], env=environment, stdout=subprocess.PIPE
        )
        assert Path(os.fsdecode(ran.stdout).strip()).parent == tmp_path
        assert len(list(tmp_path.iterdir())) == killed
    living = tmp_path / "nvs-jax-copies-living"
    living.mkdir()
    with (living / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (tmp_path / "nvs-jax-copies-others").mkdir()
        _sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {living.name, "nvs-jax-copies-others"}
