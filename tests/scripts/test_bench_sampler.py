import json

import jax
import jax.numpy as jnp
import pytest

from nvs_jax.diffusion import Unguided, closed_form_weights, karras_sigmas, sample
from nvs_jax.diffusion.assemble import make_solver
from nvs_jax.errors import InputError
from nvs_jax.media import read_photo
from nvs_jax.settings import SolverSettings
from scripts.bench_sampler import Row, estimates_in, finished, main, markdown, timed_in_turn
from tests.diffusion.toys import GaussianDenoiser

SHAPE = (1, 2, 2, 2, 1)


@pytest.mark.parametrize("name", ["euler", "heun", "churn", "dpmpp2m", "adams3"])
def test_estimates_are_counted_as_they_are_made(name):
    made = []

    class Counting(GaussianDenoiser):
        def __call__(self, x, sigma):
            made.append(sigma)
            return super().__call__(x, sigma)

    solver = make_solver(SolverSettings(name), 3)
    with jax.disable_jit():
        weights = closed_form_weights(jnp.arange(2.0), 80.0)
        sample(Counting(jnp.zeros(SHAPE)), Unguided(), weights, jnp.ones(SHAPE), karras_sigmas(3, 80.0), solver)
    assert len(made) == estimates_in(solver, 3)


def test_a_row_is_finished_with_its_time_and_share():
    row = finished(Row("nvs-jax", "euler", "dgs", 10, 20, tflop=30.0), 2.0, 60.0)
    assert row.step_ms == 200
    assert row.share == 0.25
    unknown = finished(Row("PyTorch", "euler", "dgs", 10, 20, note="no compiler"), None, 60.0)
    assert unknown.step_ms is None
    table = markdown("a device", [row, unknown])
    assert "| 200.0 |" in table
    assert "25.0%" in table
    assert "no compiler" in table


def test_functions_are_timed_in_turn_after_a_warm_up():
    calls = []
    seconds = timed_in_turn([lambda: calls.append(0), None, lambda: calls.append(1)], 2)
    assert calls == [0, 1] * 3
    assert seconds[1] is None


def test_a_small_run_leaves_table_numbers_and_picture(tmp_path, capsys):
    main(solvers=("euler",), guidance=("dgs",), steps=(1,), frames=2, height=4, width=4, repeats=1, out=tmp_path)
    table = (tmp_path / "bench.md").read_text()
    assert table.strip() == capsys.readouterr().out.strip()
    (row,) = json.loads((tmp_path / "bench.json").read_text())["rows"]
    assert row["evaluations"] == 2
    assert row["tflop"] > 0
    assert row["memory_mb"] > 0
    assert read_photo(tmp_path / "bench.png").ndim == 3


def test_torch_needs_weights():
    with pytest.raises(InputError, match="--weights"):
        main(against="torch")
