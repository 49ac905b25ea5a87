from dataclasses import replace

import pytest

from nvs_jax.media import read_photo
from scripts.sampler.picture import draw
from tests.scripts.sampler.test_rows import ABOUT, ROW, finished

ROWS = [
    finished(
        replace(ROW, setting=setting, solver=solver, steps=steps, psnr=20.0 + steps, compile_s=2.0), [0.1, 0.2], None
    )
    for setting in ("dgs, a", "none, b", "post, c", "post, d")
    for solver in ("euler", "someone-elses")
    for steps in (5, 10)
]


@pytest.mark.parametrize("rows", [ROWS, ROWS[:1], [replace(ROW, note="could not be run")]], ids=len)
@pytest.mark.parametrize("about", [ABOUT, replace(ABOUT, reference=None)], ids=["quality", "time"])
def test_pictures_of_many_settings_of_one_and_of_none(rows, about, tmp_path):
    draw(tmp_path / "bench.png", about, rows)
    assert read_photo(tmp_path / "bench.png").std() > 0.01
