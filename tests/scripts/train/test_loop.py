import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.scripts.train import toy_run

ROOT = Path(__file__).parents[3]


def losses(folder: Path) -> np.ndarray:
    """Step and loss of every row; what is measured on held-out data as well, seconds not."""
    rows = [line.split(",") for line in (folder / "losses.csv").read_text().splitlines()]
    return np.array([(int(step), float(loss), float(held_out or "nan")) for step, loss, _, held_out in rows])


@pytest.mark.full
def test_a_killed_run_goes_on_with_the_same_losses(tmp_path):
    command = [sys.executable, "-m", "tests.scripts.train.toy_run", str(tmp_path / "killed")]
    log = tmp_path / "killed" / "losses.csv"
    environment = os.environ | {"JAX_PLATFORMS": "cpu"}
    with subprocess.Popen([*command, "1000000"], cwd=ROOT, env=environment) as process:
        while not log.exists() or len(log.read_text().splitlines()) < 13:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    steps = str(len(losses(tmp_path / "killed")) + 12)
    subprocess.run([*command, steps], cwd=ROOT, env=environment, check=True)
    toy_run.main(str(tmp_path / "whole"), steps)
    np.testing.assert_array_equal(losses(tmp_path / "killed"), losses(tmp_path / "whole"))


def test_the_loss_falls_and_a_finished_run_is_not_repeated(tmp_path):
    toy_run.main(str(tmp_path), "100")
    log = losses(tmp_path)
    assert log[-1, 2] < 0.05 * log[9, 2]
    before = (tmp_path / "losses.csv").read_bytes()
    toy_run.main(str(tmp_path), "100")
    assert (tmp_path / "losses.csv").read_bytes() == before
    assert (tmp_path / "losses.png").stat().st_size > 1000


@pytest.mark.full
def test_a_finished_run_can_be_made_longer(tmp_path):
    toy_run.main(str(tmp_path / "longer"), "10")
    toy_run.main(str(tmp_path / "longer"), "20")
    toy_run.main(str(tmp_path / "whole"), "20")
    np.testing.assert_array_equal(losses(tmp_path / "longer"), losses(tmp_path / "whole"))
