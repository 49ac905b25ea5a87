"""Who compares samplers, in the words of docs/guidance.md: a solver in a package of their own is a choice of the
command and of the benchmark, which leaves a table, its numbers and a picture.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nvs_jax.media import read_frames, read_photo
from tests.pages import ROOT, block_with
from tests.tiny import write_scene


@pytest.fixture
def package(tmp_path) -> Path:
    """The page's Midpoint in a package, as pip installs it."""
    folder = tmp_path / "installed"
    info = folder / "my_sampling-1.0.dist-info"
    info.mkdir(parents=True)
    points = re.sub("fading = .*", "", block_with("nvs_jax.solvers", "toml"))
    points = re.sub(r'\[project.entry-points."(.*)"\]', r"[\1]", points)
    (folder / "my_sampling.py").write_text(block_with("class Midpoint"))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-sampling\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(re.sub(r'"([^"]*)".*', r"\1", points))
    return folder


def run(package: Path, *command: str) -> str:
    environment = os.environ | {"XLA_FLAGS": "", "PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, *command], env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.full
def test_a_solver_of_ones_own_renders_and_stands_in_the_benchmark(tmp_path, package):
    stages = {"euler": 1, "midpoint": 2, "unipc": 1}
    write_scene(tmp_path)
    files = (str(tmp_path / "photo.png"), "--depth", str(tmp_path / "depth.npy"), "--depth-kind", "disparity")
    chosen = ("--solver.kind", "midpoint", "--solver.numbers", "at", "0.4", "--steps", "2", "--weights", "demo")
    run(package, "-m", "nvs_jax", "single", *files, *chosen, "--out", str(tmp_path / "out"))
    assert len(read_frames(tmp_path / "out" / "frames")) == 8
    job = json.loads((tmp_path / "out" / "run.json").read_text())["job"]
    assert job["settings"]["solver"]["kind"] == "midpoint"
    sweep = ["--solvers", *stages, *["--guidance", "none", "dgs", "--steps", "2", "4", "--frames", "4"]]
    size = ["--height", "8", "--width", "8", "--repeats", "2", "--reference-steps", "32", "--weights", "demo"]
    table = run(package, "scripts/bench_sampler.py", *sweep, *size, "--out", str(tmp_path / "bench"))
    assert table.strip() == (tmp_path / "bench" / "bench.md").read_text().strip()
    rows = json.loads((tmp_path / "bench" / "bench.json").read_text())["rows"]
    counted = {(row["solver"], row["steps"]): row["evaluations"] for row in rows}  # of both branches
    assert counted == {(solver, n): 2 * each * n for solver, each in stages.items() for n in (2, 4)}
    assert len(rows) == 12
    psnr = {(row["solver"], row["steps"]): row["psnr"] for row in rows if row["setting"].startswith("none")}
    assert all(psnr[solver, 4] > psnr[solver, 2] for solver in stages)
    assert read_photo(tmp_path / "bench" / "bench.png").ndim == 3
