import jax
import pytest

from nvs_jax.errors import InputError
from nvs_jax.runs.shares import Share, find_share

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
