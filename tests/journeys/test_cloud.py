"""From nothing to many photos on spot machines, in the words of docs/cloud_tpu.md: processes in place of machines, a
folder in place of the bucket, a tiny model.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from nvs_jax.cli import main
from nvs_jax.media import read_frames, write_picture
from tests.models.depth.folders import write_folder
from tests.tiny import FRAMES, scene, write_tiny_folder

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "configs" / "cloud"
PHOTOS = 8
DEVICES = 4
"""Of a machine."""


@pytest.fixture
def bucket(tmp_path) -> Path:
    """What the page's second step puts into the bucket."""
    folder = tmp_path / "bucket"
    (folder / "photos").mkdir(parents=True)
    for index in range(PHOTOS):
        write_picture(folder / "photos" / f"photo{index}.jpg", scene(index)[0])
    main(["convert", str(write_tiny_folder(tmp_path / "published", frames=FRAMES)), str(folder / "svd-xt")])
    write_folder(folder / "depth-anything")
    options = in_bucket((RECIPES / "photos.yaml").read_text(), folder)
    small = {"depth_weights": str(folder / "depth-anything"), "steps": 10, "settings": {"camera": {"focal": 0.6}}}
    (folder / "all.yaml").write_text(yaml.safe_dump(yaml.safe_load(options) | small))
    return folder


def in_bucket(text: str, bucket: Path) -> str:
    return text.replace("gs://BUCKET", str(bucket))


def container(recipe: str, bucket: Path) -> tuple[list[str], dict[str, str], int]:
    """The command of a JobSet's pods, their environment, and how many there are."""
    jobset = yaml.safe_load(in_bucket((RECIPES / recipe).read_text(), bucket))
    job: Any = jobset["spec"]["replicatedJobs"][0]["template"]["spec"]
    (only,) = job["template"]["spec"]["containers"]
    return only["command"][1:], {entry["name"]: entry["value"] for entry in only["env"]}, job["completions"]


def start(command: list[str], environment: dict[str, str], index: int) -> subprocess.Popen[str]:
    level = "--xla_backend_optimization_level=1"  # which compiles faster
    devices = f"{level} --xla_force_host_platform_device_count={DEVICES}"
    own = {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": devices, "JOB_COMPLETION_INDEX": str(index), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "nvs_jax", *command],
        env=os.environ | environment | own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, list[dict[str, Any]]]:
    """Its exit code and the events of its log."""
    said = process.communicate(timeout=1200)[1]
    return process.returncode, [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def test_the_page_has_the_recipes_this_journey_takes():
    page = (ROOT / "docs" / "cloud_tpu.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\.\./configs/cloud/([a-z-]+\.yaml)", page))
    assert named == {path.name for path in RECIPES.glob("*.yaml")}


@pytest.mark.full
def test_many_photos_on_four_machines_of_which_one_is_taken_back(bucket):
    with pytest.raises(SystemExit) as plan:
        main(["plan", "--device", "v5e:4", "--figures", "table"])
    assert plan.value.code == 0
    command, environment, count = container("gke-jobset.yaml", bucket)
    machines = [start(command, environment, index) for index in range(count)]
    states = bucket / "results" / ".photo1.run" / "legs" / "000"
    while not list(states.glob("[0-9]*")):
        assert machines[1].poll() is None, machines[1].communicate()
        time.sleep(0.05)
    machines[1].send_signal(signal.SIGTERM)
    code, events = ended(machines[1])
    assert code == 75
    assert "the same command goes on" in events[-1]["text"]
    machines[1] = start(command, environment, 1)
    last = [ended(machine) for machine in machines]
    assert [code for code, _ in last] == [0] * count, last
    steps = [event for _, events in last for event in events if event["event"] == "step"]
    assert {event["job"] for event in steps} == {f"photo{index}" for index in range(PHOTOS)}
    assert all(event["seconds_a_step"] >= 0 and event["memory"] for event in steps)
    told = json.loads((bucket / "results" / "summary.json").read_text())
    assert not told["failed"]
    assert set(told["rendered"]) | set(told["there_already"]) == {f"photo{index}" for index in range(PHOTOS)}
    main([*command[: command.index("--log")], "--shard", "1", "4"])  # again: there is nothing left to do
    assert set(json.loads((bucket / "results" / "summary-1-of-4.json").read_text())["there_already"]) == {
        *("photo1", "photo5")
    }


@pytest.mark.full
def test_one_render_on_all_chips_in_processes_that_meet(bucket):
    command, environment, count = container("gke-jobset-render.yaml", bucket)
    command = [argument.replace("garden.jpg", "photo0.jpg") for argument in command]
    command += ["--depth-weights", str(bucket / "depth-anything"), "--steps", "2", "--camera.focal", "0.6"]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    meeting = environment | {"JAX_COORDINATOR_ADDRESS": address, "JAX_NUM_PROCESSES": str(count)}
    processes = [start(command, meeting | {"JAX_PROCESS_ID": str(index)}, index) for index in range(count)]
    assert [ended(process)[0] for process in processes] == [0] * count
    assert np.isfinite(read_frames(bucket / "garden" / "frames")).all()
