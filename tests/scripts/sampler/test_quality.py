import numpy as np
import pytest

from scripts.sampler.options import Options, Setting
from scripts.sampler.quality import References, psnr

SETTING = Setting("none", 2, 4, 4, "bfloat16", (1, 1, 1))


def test_psnr_is_of_the_references_range():
    reference = np.linspace(-3.0, 1.0, 5)
    assert psnr(reference + 0.04, reference) == pytest.approx(40.0)
    assert psnr(reference, reference) is None
    assert psnr(np.full(5, np.nan), reference) is None


def test_a_reference_is_made_once_for_all_dtypes_and_meshes(monkeypatch):
    made = []

    class Made:
        @staticmethod
        def run():
            return np.arange(4.0)

    def problem(weights, setting, solver, steps, dtype=None):
        made.append((setting, solver, steps, dtype))

    monkeypatch.setattr("scripts.sampler.quality.make_problem", problem)
    monkeypatch.setattr("scripts.sampler.quality.compile_run", lambda problem: Made)
    references = References(Options(reference_steps=30, reference_solver="unipc"))
    assert references.name == "unipc in 30 steps and float32"
    assert references.psnr(np.arange(4.0) + 0.3, SETTING) == pytest.approx(20.0)
    assert references.psnr(None, SETTING) is None
    references.psnr(np.arange(4.0) + 0.3, Setting("none", 2, 4, 4, None, None))
    assert made == [(Setting("none", 2, 4, 4, None, None), "unipc", 30, "float32")]
    assert References(Options(reference_steps=0)).psnr(np.arange(4.0), SETTING) is None
