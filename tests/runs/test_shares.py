import os

import jax
import pytest

from nvs_jax.errors import InputError
from nvs_jax.runs.shares import ARRAYS, Share, array_share, find_share, keep_to_own_chips

SLURM = {
    "SLURM_JOB_ID": "7",
    "SLURM_STEP_NODELIST": "node[001-002]",
    "SLURM_NTASKS": "8",
    "SLURM_PROCID": "5",
    "SLURM_LOCALID": "1",
}


@pytest.fixture
def environment(monkeypatch):
    """Sets variables; what JAX is told of its devices is forgotten afterwards."""
    for name in ("JAX_NUM_PROCESSES", "JAX_PROCESS_ID", "JAX_COORDINATOR_ADDRESS", *SLURM):
        monkeypatch.delenv(name, raising=False)
    told = {}
    monkeypatch.setattr("jax.config.update", lambda name, value: told.update({name: value}))

    def install(**variables: str) -> dict[str, str]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return told

    return install


def test_the_environment_says_which_process_this_is(environment):
    environment(JAX_NUM_PROCESSES="3", JAX_PROCESS_ID="2")
    assert find_share() == Share(2, 3)
    assert not jax.distributed.is_initialized()


def test_slurm_says_which_process_this_is_and_which_gpu_is_its_own(environment):
    told = environment(**SLURM)
    assert find_share() == Share(5, 8)
    assert told["jax_cuda_visible_devices"] == "1"
    assert not jax.distributed.is_initialized()


@pytest.mark.parametrize(("count", "index"), [("2", "2"), ("0", "0"), ("2", "-1"), ("two", "0")])
def test_numbers_that_make_no_sense(count, index, environment):
    environment(JAX_NUM_PROCESSES=count, JAX_PROCESS_ID=index)
    with pytest.raises(InputError, match="set JAX_NUM_PROCESSES and JAX_PROCESS_ID, or use --shard"):
        find_share()


TASKS = {
    "Kubernetes": {"JOB_COMPLETION_INDEX": "2", "NVS_JAX_SHARES": "4"},
    "Slurm": {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1"},
    "Slurm, every fifth": {
        **{"SLURM_ARRAY_TASK_ID": "20", "SLURM_ARRAY_TASK_COUNT": "4"},
        **{"SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_STEP": "5"},
    },
    "Cloud Run": {"CLOUD_RUN_TASK_INDEX": "2", "CLOUD_RUN_TASK_COUNT": "4"},
    "Google Batch": {"BATCH_TASK_INDEX": "2", "BATCH_TASK_COUNT": "4"},
    "AWS Batch": {"AWS_BATCH_JOB_ARRAY_INDEX": "2", "AWS_BATCH_JOB_ARRAY_SIZE": "4"},
    "SkyPilot's jobs": {
        **{"SKYPILOT_JOB_RANK": "2", "SKYPILOT_NUM_JOBS": "4"},
        **{"SKYPILOT_NODE_RANK": "0", "SKYPILOT_NUM_NODES": "1"},
    },
    "SkyPilot": {"SKYPILOT_NODE_RANK": "2", "SKYPILOT_NUM_NODES": "4"},
}


@pytest.fixture
def task(monkeypatch):
    """Sets what a scheduler sets; nothing else of one is there."""
    for names in ARRAYS.values():
        for name in (names.index, names.count, names.first, names.step):
            monkeypatch.delenv(str(name), raising=False)

    def install(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return install


@pytest.mark.parametrize("scheduler", TASKS)
def test_schedulers_say_which_share_this_is(scheduler, task):
    task(**TASKS[scheduler])
    share, said = array_share()
    assert share == Share(2, 4)
    assert said is not None and said.startswith(next(iter(TASKS[scheduler])))


def test_without_a_scheduler_or_in_an_array_of_one_all_is_one_share(task):
    assert array_share() == (Share(0, 1), None)
    task(SKYPILOT_NODE_RANK="0", SKYPILOT_NUM_NODES="1")
    assert array_share() == (Share(0, 1), None)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"JOB_COMPLETION_INDEX": "2"}, "this is task 2, and nothing of how many: set NVS_JAX_SHARES"),
        ({"JOB_COMPLETION_INDEX": "4", "NVS_JAX_SHARES": "4"}, "4 of 4 tasks, which is no share"),
        ({"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "1"}, "without gaps"),
        ({"BATCH_TASK_INDEX": "one", "BATCH_TASK_COUNT": "4"}, "BATCH_TASK_INDEX is 'one'"),
    ],
)
def test_a_scheduler_that_makes_no_sense(variables, message, task):
    task(**variables)
    with pytest.raises(InputError, match=message):
        array_share()


@pytest.mark.parametrize(("chips", "grid"), [(1, "1,1,1"), (4, "2,2,1"), (8, "2,4,1")])
def test_a_share_on_a_machine_of_a_slice_has_the_chips_of_that_machine_alone(
    chips, grid, tmp_path, monkeypatch, capsys
):
    for index in range(chips):
        (tmp_path / f"accel{index}").touch()
    monkeypatch.setattr("nvs_jax.runs.shares.find_spec", lambda _: object())
    monkeypatch.setattr("os.environ", {"TPU_WORKER_HOSTNAMES": "a,b,c,d", "TPU_WORKER_ID": "3"})
    keep_to_own_chips(tmp_path)
    assert os.environ["TPU_PROCESS_BOUNDS"] == "1,1,1"
    assert os.environ["TPU_CHIPS_PER_PROCESS_BOUNDS"] == grid
    assert (os.environ["TPU_WORKER_HOSTNAMES"], os.environ["TPU_WORKER_ID"]) == ("localhost", "0")
    assert f"keeps to the {chips} TPU chips of its own machine" in capsys.readouterr().err


def test_what_was_said_of_tpu_chips_stays_and_machines_without_them_are_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("nvs_jax.runs.shares.find_spec", lambda _: object())
    monkeypatch.setattr("os.environ", {})
    keep_to_own_chips(tmp_path)
    assert os.environ == {}
    (tmp_path / "accel0").touch()
    monkeypatch.setattr("os.environ", {"TPU_PROCESS_BOUNDS": "2,2,1"})
    keep_to_own_chips(tmp_path)
    assert os.environ == {"TPU_PROCESS_BOUNDS": "2,2,1"}
