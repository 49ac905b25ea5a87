from dataclasses import replace

import pytest

from scripts.sampler.rows import About, Row, finished, markdown

ABOUT = About({}, {"card": "a device", "jax": "1"}, 1, "random (seed 0)", "heun in 100 steps", 3)
ROW = Row("nvs-jax", "dgs, 2 x 4 x 4", "dgs", 2, 4, 4, "float32", None, "euler", 10, 20, tflop=30.0)


def test_a_row_is_finished_with_its_time_spread_and_share():
    row = finished(replace(ROW, psnr=31.25), [2.0, 1.0, 4.0], 60.0)
    assert (row.step_ms, row.fastest_ms, row.slowest_ms) == (200, 100, 400)
    assert row.seconds == (2.0, 1.0, 4.0)
    assert row.share == 0.25
    assert finished(replace(ROW, mesh=(1, 2, 1)), [2.0], 60.0).share == pytest.approx(0.125)
    unknown = finished(replace(ROW, side="PyTorch", note="no compiler"), [], 60.0)
    assert unknown.step_ms is None
    table = markdown(ABOUT, [row, unknown])
    assert table.startswith("card a device, jax 1; weights: random (seed 0); median of 3, fastest to slowest; PSNR of")
    assert "| 200.0 | 100.0 to 400.0 |" in table
    assert "25.0%" in table
    assert "| 31.2 |" in table
    assert "no compiler" in table
