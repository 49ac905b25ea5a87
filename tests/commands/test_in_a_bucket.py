"""Commands whose inputs, weights, jobs, results and states lie in an object store: moto's S3 on the loopback."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

import nvs_jax.diffusion.problem
from nvs_jax.cli import main
from nvs_jax.commands.batch_file import read_batch
from nvs_jax.media import write_picture
from nvs_jax.remote import listing, read, write
from nvs_jax.settings.jobs import SingleJob
from tests.commands.test_batch import PREVIEW, SETTINGS
from tests.commands.test_render import ROOT, contents, fails
from tests.stores import at, fetch, fill, names_in, new_machine, s3_store
from tests.tiny import FRAMES, scene, write_tiny_folder


@pytest.fixture(scope="module")
def server():
    with s3_store() as (address, environment):
        yield address, environment


@pytest.fixture
def bucket(server, request):
    """A folder of its own for each test, with tiny weights, two scenes and a list of jobs in it."""
    return f"{server[0]}/{request.node.originalname}"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_tiny_folder(folder / "svd", frames=FRAMES)
    for index in range(2):
        photo, depth = scene(index)
        write_picture(folder / "photos" / f"{index}.png", photo)
        np.save(folder / "photos" / f"{index}.npy", depth)
    return folder


def write_jobs(folder: Path, names: tuple[int, ...] = (0, 1), **options: Any) -> None:
    defaults = {"weights": "svd", "depth_kind": "depth", "steps": 4, "settings": SETTINGS, **options}
    jobs = [{"name": f"scene{i}", "photo": f"photos/{i}.png", "depth": f"photos/{i}.npy"} for i in names]
    (folder / "jobs.yaml").write_text(yaml.safe_dump({"defaults": defaults, "jobs": jobs}))


def record(folder: str) -> dict[str, Any]:
    return json.loads(read(at(folder) / "run.json", 2**20) or b"null")


def test_a_batch_from_a_bucket_into_it(inputs, bucket, tmp_path, monkeypatch, capsys):
    write_jobs(inputs, (0, 1, 2), **PREVIEW)
    fill(inputs, bucket)
    new_machine(tmp_path / "temporary", monkeypatch)
    monkeypatch.chdir(tmp_path)
    command = ["batch", f"{bucket}/jobs.yaml", "--out", f"{bucket}/out"]
    assert fails(command, 1, capsys) == f"scene2 failed: {bucket}/photos/2.png: no such file"
    assert {name.split("/")[0] for name in names_in(f"{bucket}/out")} == {"scene0", "scene1", "summary.json"}
    assert record(f"{bucket}/out/scene1")["job"]["photo"] == f"{bucket}/photos/1.png"
    assert str(tmp_path) not in json.dumps(record(f"{bucket}/out/scene1"))
    before = listing(at(f"{bucket}/out"))
    with pytest.raises(SystemExit):
        main(command)
    assert listing(at(f"{bucket}/out")).keys() == before.keys()
    summary = json.loads(read(at(f"{bucket}/out/summary.json"), 2**20) or b"")
    assert summary["there_already"] == ["scene0", "scene1"]
    assert {path.name for path in tmp_path.iterdir()} == {"temporary"}
    (scratch,) = (tmp_path / "temporary").iterdir()
    assert not list(scratch.rglob("*.png"))


@pytest.mark.parametrize("source", ["photos", "photos/*.png"])
def test_photos_of_a_bucket_are_jobs(source, inputs, bucket):
    fill(inputs / "photos", f"{bucket}/photos")
    write(at(bucket) / "photos/more/3.png", b"")
    for index in range(2):
        write(at(bucket) / f"depth/{index}.npy", b"")
    write(at(bucket) / "defaults.yaml", yaml.safe_dump({"depth": "depth", "depth_kind": "depth"}).encode())
    jobs = read_batch(Path(f"{bucket}/{source}"), Path("out"), Path(f"{bucket}/defaults.yaml"))
    assert list(jobs) == ["0", "1"]
    job = jobs["1"]
    assert isinstance(job, SingleJob)
    assert (job.photo, job.depth) == (Path(f"{bucket}/photos/1.png"), Path(f"{bucket}/depth/1.npy"))


def test_what_was_sampled_is_there_for_another_machine(inputs, bucket, tmp_path, monkeypatch, capsys):
    write_jobs(inputs, (0,))
    fill(inputs, bucket)
    main(["batch", str(inputs / "jobs.yaml"), "--out", str(tmp_path / "local")])
    sample, segments = nvs_jax.diffusion.problem.run_steps, []

    def run_steps(*arguments):
        segments.append(1)
        if len(segments) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return sample(*arguments)

    monkeypatch.setattr(nvs_jax.diffusion.problem, "run_steps", run_steps)
    command = ["batch", f"{bucket}/jobs.yaml", "--out", f"{bucket}/out"]
    new_machine(tmp_path / "one", monkeypatch)
    assert fails(command, 75, capsys).startswith(
        "nvs-jax: stopped in scene0, after step 2 of leg 1 of 1, which is kept"
    )
    assert names_in(f"{bucket}/out") == {
        f".scene0.run/{name}" for name in (".nvs-jax.json", "run.json", "legs/000/000001", "legs/000/000002")
    }
    new_machine(tmp_path / "other", monkeypatch)
    main(command)
    assert f"{bucket}/out/scene0: 2 steps of leg 1 are there, going on" in capsys.readouterr().err
    assert len(segments) == 4
    assert contents(fetch(f"{bucket}/out/scene0", tmp_path / "back")) == contents(tmp_path / "local" / "scene0")
    assert not [name for name in names_in(f"{bucket}/out") if name.startswith(".")]


def test_a_state_that_cannot_be_kept_ends_the_run_in_one_line(inputs, bucket, tmp_path, monkeypatch, capsys):
    write_jobs(inputs, (0,))
    fill(inputs, bucket)
    monkeypatch.setattr("nvs_jax.disk.bucket.upload", lambda *_: write(at("s3://none/a"), b""))
    said = fails(
        [
            *("single", f"{bucket}/photos/0.png", "--depth", f"{bucket}/photos/0.npy", "--depth-kind", "depth"),
            *("--weights", f"{bucket}/svd", "--out", f"{bucket}/out", "--steps", "2", "--camera.focal", "0.6"),
        ],
        2,
        capsys,
    )
    assert said == "nvs-jax: error: s3://none/a: The specified bucket does not exist"
    assert not names_in(f"{bucket}/out")


def test_a_checkpoint_in_a_bucket(inputs, bucket, tmp_path, monkeypatch, capsys):
    fill(inputs / "svd", f"{bucket}/svd")
    main(["convert", f"{bucket}/svd", f"{bucket}/converted"])
    assert capsys.readouterr().out.startswith(f"{bucket}/converted: {FRAMES} frames")
    assert "nvs_jax.json" in names_in(f"{bucket}/converted")
    assert "already holds a checkpoint" in fails(["convert", f"{bucket}/svd", f"{bucket}/converted"], 2, capsys)
    new_machine(tmp_path / "one", monkeypatch)
    converted = nvs_jax.load(f"{bucket}/converted").model.networks
    published = nvs_jax.load(inputs / "svd").model.networks
    for name, array in published.weights("unet").items():
        np.testing.assert_array_equal(converted.weights("unet")[name], array)


def start(command: list[str], temporary: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """The command on a machine that has nothing."""
    temporary.mkdir()
    own = {"TMPDIR": str(temporary), "HOME": str(temporary), "XDG_CACHE_HOME": str(temporary), "JAX_PLATFORMS": "cpu"}
    return subprocess.Popen(
        [sys.executable, "-m", "nvs_jax", *command],
        env=os.environ | own | environment,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


@pytest.mark.full
def test_a_batch_that_is_killed_goes_on_elsewhere_with_the_same_bits(inputs, bucket, server, tmp_path):
    """Killed three times, at its first, second and last state; programs are kept in the bucket, too."""
    write_jobs(inputs, steps=10)
    fill(inputs, bucket)
    programs = {"JAX_COMPILATION_CACHE_DIR": f"{bucket}/programs", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.1"}
    command = ["batch", f"{bucket}/jobs.yaml", "--out", f"{bucket}/out"]
    for index, state in enumerate((".scene0.run/legs/000/000002", "scene0/run.json", ".scene1.run/legs/000/000004")):
        process = start(command, tmp_path / f"machine{index}", server[1] | programs)
        while state not in names_in(f"{bucket}/out"):
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.kill()
        process.communicate()
    assert names_in(f"{bucket}/programs")
    before = names_in(f"{bucket}/programs")
    process = start(command, tmp_path / "last", server[1] | programs)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    assert "steps of leg 1 are there, going on" in said
    assert not [name for name in names_in(f"{bucket}/programs") - before if name.endswith("-cache")]
    main(["batch", str(inputs / "jobs.yaml"), "--out", str(tmp_path / "local")])
    for name in ("scene0", "scene1"):
        assert contents(fetch(f"{bucket}/out/{name}", tmp_path / "back" / name)) == contents(tmp_path / "local" / name)
    assert not [name for name in names_in(f"{bucket}/out") if name.startswith(".")]
    assert not Path(tempfile.gettempdir()).joinpath("s3:").exists()
