import json
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.errors import InputError
from nvs_jax.media import read_photo
from scripts.bench_sampler import Options, main, make_denoiser, timed_in_turn


def test_it_takes_a_model_of_other_latents():
    denoiser = make_denoiser("demo", None, (2, 4, 4), np.random.default_rng(0))
    assert denoiser.config.out_channels == denoiser.image_latent.shape[-1] == 8
    assert jax.eval_shape(denoiser, jnp.zeros((1, 2, 4, 4, 8)), jnp.float32(1)).shape == (1, 2, 4, 4, 8)


def test_functions_are_timed_in_turn_after_a_warm_up():
    calls = []
    seconds = timed_in_turn([lambda: calls.append(0), None, lambda: calls.append(1)], 2)
    assert calls == [0, 1] * 3
    assert [len(taken) for taken in seconds] == [2, 0, 2]


def test_a_small_run_leaves_table_numbers_and_picture(tmp_path, capsys):
    one = Options(solvers=("euler",), guidance=("dgs",), steps=(1,), repeats=1, out=tmp_path)
    main(replace(one, frames=2, height=4, width=4))
    table = (tmp_path / "bench.md").read_text()
    assert table.strip() == capsys.readouterr().out.strip()
    written = json.loads((tmp_path / "bench.json").read_text())
    (row,) = written.pop("rows")
    assert written.pop("device").endswith("2 x 4 x 4 latents")
    assert written == {"devices": jax.device_count(), "dtype": "float32", "weights": "random", "repeats": 1}
    assert row["fastest_ms"] == row["step_ms"] == row["slowest_ms"] > 0
    assert row["evaluations"] == 2
    assert row["tflop"] > 0
    assert row["memory_mb"] > 0
    assert read_photo(tmp_path / "bench.png").ndim == 3


def test_torch_needs_weights():
    with pytest.raises(InputError, match="--weights"):
        main(Options(against="torch"))
