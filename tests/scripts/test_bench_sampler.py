import json
from dataclasses import replace

import jax
import pytest

from nvs_jax.errors import InputError
from nvs_jax.media import read_photo
from scripts.bench_sampler import main
from scripts.sampler.options import Options

SMALL = Options(guidance=("dgs",), frames=(2,), height=(4,), width=(4,), repeats=2, reference_steps=2)


@pytest.mark.full
def test_a_small_sweep_leaves_table_numbers_and_picture(tmp_path, capsys):
    main(
        replace(
            SMALL, solvers=("euler",), steps=(1,), dtype=("float32", "bfloat16"), reference_solver="euler", out=tmp_path
        )
    )
    table = (tmp_path / "bench.md").read_text()
    assert table.strip() == capsys.readouterr().out.strip()
    written = json.loads((tmp_path / "bench.json").read_text())
    rows = written.pop("rows")
    assert [row["dtype"] for row in rows] == ["float32", "bfloat16"]
    for row in rows:
        assert row["fastest_ms"] == 1e3 * min(row["seconds"]) <= row["step_ms"] <= row["slowest_ms"]
        assert len(row["seconds"]) == 2
        assert row["evaluations"] == 2
        assert 0 < row["psnr"] < 100
        assert min(row["compile_s"], row["tflop"], row["memory_mb"]) > 0
    assert written["devices"] == jax.device_count()
    assert written["reference"] == "euler in 2 steps and float32"
    assert written["weights"] == "random (seed 0)"
    assert {"card", "Python", "jax", "jaxlib", "numpy", "nvs-jax", "XLA_FLAGS"} <= written["environment"].keys()
    assert written["command"]["dtype"] == ["float32", "bfloat16"]
    assert written["repeats"] == 2
    assert read_photo(tmp_path / "bench.png").ndim == 3


def test_torch_needs_weights():
    with pytest.raises(InputError, match="--weights"):
        Options(against="torch")
