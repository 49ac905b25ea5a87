import pytest

from nvs_jax.settings.evaluation import BenchmarkSettings
from scripts.accelerator import modes
from scripts.accelerator.modes import LEAST
from scripts.accelerator.sizes import FULL, TOY


def test_at_full_size_every_mode_is_rendered():
    assert FULL.modes == tuple(modes._plans(3))
    assert set(TOY.modes) <= set(FULL.modes)


@pytest.mark.full
def test_a_cpu_makes_a_cpus_videos():
    rows = list(modes.modes(FULL))
    assert [row.what for row in rows] == [f"{what}, {precision}" for precision in LEAST for what in FULL.modes]
    assert {row.figures["PSNR, dB"] for row in rows} == {120.0}
    assert rows[0].figures["frames"] == BenchmarkSettings().frames
    assert not any(row.failed for row in rows)


@pytest.mark.full
def test_a_device_that_makes_another_video_has_failed(monkeypatch):
    monkeypatch.setattr(modes, "psnr", lambda got, wanted: 59.9)
    rows = list(modes.modes(TOY))
    assert all(row.failed and row.note for row in rows)
