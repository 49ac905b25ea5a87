"""Many photos in four shares, two of whose processes are killed on the way."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from nvs_jax.media import write_picture
from tests.tiny import FRAMES, scene

ROOT = Path(__file__).parents[2]
SHARES = 4
SETTINGS = {
    "camera": {"focal": 0.6},
    "path": {"radius": [6.0, 6.0], "step_degrees": 4.0, "frames": FRAMES},
    "picture": {"size": [64, 64], "fit": "pad"},
}


def write_photos(folder: Path, count: int) -> list[str]:
    """So many photos and their depth, and the command that warps them all."""
    (folder / "photos").mkdir()
    (folder / "maps").mkdir()
    for index in range(count):
        photo, depth = scene(index)
        write_picture(folder / "photos" / f"photo{index}.png", photo)
        np.save(folder / "maps" / f"photo{index}.npy", depth)
    options = {"preview": True, "depth": "maps", "depth_kind": "depth", "settings": SETTINGS}
    (folder / "all.yaml").write_text(yaml.safe_dump(options))
    return ["batch", str(folder / "photos"), "--defaults", str(folder / "all.yaml"), "--out", str(folder / "out")]


def start(command: list[str], index: int) -> subprocess.Popen[str]:
    """A task of an indexed job of Kubernetes."""
    return subprocess.Popen(
        [sys.executable, "-m", "nvs_jax", *command],
        env=os.environ | {"JAX_PLATFORMS": "cpu", "JOB_COMPLETION_INDEX": str(index), "NVS_JAX_SHARES": str(SHARES)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )


def done(out: Path) -> dict[str, int]:
    """When each result was completed."""
    return {path.parent.name: path.stat().st_mtime_ns for path in out.glob("photo*/run.json")}


def run_with_kills(command: list[str], out: Path, count: int, seed: int = 0) -> dict[str, int]:
    """Run all shares, kill two at random moments, and start those again; what was complete when they were."""
    rng = random.Random(seed)
    processes = [start(command, index) for index in range(SHARES)]
    before: dict[str, int] = {}
    said: dict[int, str] = {}
    try:
        for victim, share_done in zip(rng.sample(range(SHARES), 2), (0.2, 0.5), strict=True):
            while len(done(out)) < share_done * count:
                assert processes[victim].poll() is None
                time.sleep(0.05)
            time.sleep(rng.uniform(0, 0.5))
            processes[victim].kill()
            processes[victim].communicate()
            assert processes[victim].returncode == -signal.SIGKILL
            before |= done(out)
            processes[victim] = start(command, victim)
        for index, process in enumerate(processes):
            said[index] = process.communicate(timeout=1200)[0]
            assert process.returncode == 0, said[index]
            assert (
                f"share {index} of {SHARES}, as JOB_COMPLETION_INDEX of an indexed job of Kubernetes says"
                in said[index]
            )
    finally:
        for process in processes:
            process.kill()
    return before


@pytest.mark.full
def test_five_hundred_photos_in_four_shares_of_which_two_are_killed_are_each_done_once(tmp_path):
    count, out = 500, tmp_path / "out"
    before = run_with_kills(write_photos(tmp_path, count), out, count)
    after = done(out)
    assert set(after) == {f"photo{index}" for index in range(count)}
    assert len(before) >= count // 2
    assert {name: after[name] for name in before} == before  # none was made again
    told = json.loads((out / "summary.json").read_text())
    assert set(told["rendered"]) | set(told["there_already"]) == set(after)
    assert not set(told["rendered"]) & set(told["there_already"])
    assert not told["failed"] and not told["busy"]
    assert {path.name for path in out.iterdir() if path.is_dir()} == set(after)  # and nothing half done lies about
