import os
import subprocess
import sys
from pathlib import Path

import pytest

from nvs_jax.commands.back_end import require_back_end
from nvs_jax.errors import InputError


def test_a_back_end_that_cannot_start_is_one_line(tmp_path):
    command = [sys.executable, "-m", "nvs_jax", "warp", "a.png", "--out", str(tmp_path / "out")]
    environment = os.environ | {"JAX_PLATFORMS": "cdua"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=Path(__file__).parents[2], env=environment, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("nvs-jax: error: the back end of JAX_PLATFORMS=cdua cannot be started: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (AssertionError(), "JAX_PLATFORMS=cuda cannot be started: JAX is not installed for it; install"),
        (RuntimeError("no libtpu.so (set JAX_PLATFORMS='' to choose)"), "cannot be started: no libtpu.so; install"),
    ],
)
def test_whatever_jax_says_of_it(error, message, monkeypatch):
    def devices():
        raise error

    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    monkeypatch.setattr("jax.devices", devices)
    with pytest.raises(InputError, match=message):
        require_back_end()
