"""Recipes in configs/cloud: they are YAML of the kind they say, and their commands are ours."""

import math
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import yaml
from fsspec.implementations.memory import MemoryFileSystem

from nvs_jax.cli import parse
from nvs_jax.commands.batch_file import read_batch
from nvs_jax.runs.endings import MISSING
from nvs_jax.runs.shares import ARRAYS, SHARES
from nvs_jax.runs.stopping import EXIT_CODE
from nvs_jax.settings.jobs import BatchJob, RenderJob

FOLDER = Path(__file__).parents[1] / "configs" / "cloud"
JOBSETS = sorted(FOLDER.glob("gke-*.yaml"))


@pytest.fixture(autouse=True)
def empty_store(monkeypatch):
    """In place of the buckets that recipes name: weights may bring a preset, and are asked for it."""
    monkeypatch.setattr(fsspec, "filesystem", lambda scheme, **options: MemoryFileSystem())


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def pods(jobset: Any) -> Any:
    (replicated,) = jobset["spec"]["replicatedJobs"]
    return replicated["template"]["spec"]


def commands(path: Path) -> Iterator[list[str]]:
    """What a recipe runs, of ours."""
    recipe = read(path)
    if recipe.get("kind") == "JobSet":
        yield from (container["command"] for container in pods(recipe)["template"]["spec"]["containers"])
    elif "run" in recipe:
        script = recipe["run"].replace("\\\n", " ")
        for name, value in recipe["envs"].items():
            script = re.sub(rf"\${name}\b", value, script)
        yield from (shlex.split(line) for line in script.splitlines() if line.startswith("nvs-jax"))


@pytest.mark.parametrize("path", [*JOBSETS, FOLDER / "skypilot.yaml"], ids=lambda path: path.stem)
def test_commands_are_understood(path):
    found = list(commands(path))
    assert found
    for name, *arguments in found:
        assert name == "nvs-jax"
        job = parse(arguments)
        assert isinstance(job, BatchJob | RenderJob) and job.log == "json"


def test_commands_of_the_page_are_understood():
    text = (FOLDER.parents[1] / "docs" / "cloud_tpu.md").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split("#")[0].strip().removesuffix("&") for line in text.splitlines()]
    found = [re.sub(r"\$\(\(.*?\)\)", "3", line[line.index("nvs-jax ") :]) for line in lines if _runs_ours(line)]
    assert len(found) >= 4
    for command in found:
        parse(shlex.split(command)[1:])


def _runs_ours(line: str) -> bool:
    return line.startswith("nvs-jax ") or re.match(r"TPU_\S+=.* nvs-jax ", line) is not None


@pytest.mark.parametrize("path", JOBSETS, ids=lambda path: path.stem)
def test_a_jobset_has_a_pod_for_every_machine_of_its_slice(path):
    recipe = read(path)
    assert (recipe["apiVersion"], recipe["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    job = pods(recipe)
    assert job["completionMode"] == "Indexed"
    (container,) = job["template"]["spec"]["containers"]
    topology = job["template"]["spec"]["nodeSelector"]["cloud.google.com/gke-tpu-topology"]
    chips = math.prod(map(int, topology.split("x")))
    assert job["parallelism"] == job["completions"] == chips // container["resources"]["limits"]["google.com/tpu"]
    job_or_render = parse(container["command"][1:])
    if isinstance(job_or_render, BatchJob):
        assert {"name": SHARES, "value": str(job["completions"])} in container["env"]
        assert ARRAYS["an indexed job of Kubernetes"].count == SHARES
    else:
        assert isinstance(job_or_render, RenderJob)
        assert job_or_render.mesh.hosts and job_or_render.mesh.size == chips and job_or_render.resume


@pytest.mark.parametrize("path", JOBSETS, ids=lambda path: path.stem)
def test_what_can_go_on_is_started_again_and_a_mistake_is_not(path):
    job = pods(read(path))
    (container,) = job["template"]["spec"]["containers"]
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # which rules of failures need
    by_code = {}
    for rule in job["podFailurePolicy"]["rules"]:
        codes = rule.get("onExitCodes", {"values": [], "containerName": container["name"]})
        assert codes["containerName"] == container["name"]
        by_code |= dict.fromkeys(codes["values"], rule["action"])
    assert by_code == {MISSING: "Ignore", EXIT_CODE: "Ignore", 1: "FailJob", 2: "FailJob"}


def test_skypilot_starts_again_what_can_go_on():
    recipe = read(FOLDER / "skypilot.yaml")
    assert recipe["resources"]["job_recovery"]["recover_on_exit_codes"] == [MISSING, EXIT_CODE]
    assert recipe["resources"]["use_spot"] is True


def test_the_options_of_all_photos_are_options(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "garden.jpg").touch()
    options = read(FOLDER / "photos.yaml") | {"weights": "svd-xt"}
    (tmp_path / "all.yaml").write_text(yaml.safe_dump(options))
    (job,) = read_batch(tmp_path / "photos", Path("results"), tmp_path / "all.yaml").values()
    assert job.mesh.size == 4
    assert job.settings.path.radius == (60, 60)
