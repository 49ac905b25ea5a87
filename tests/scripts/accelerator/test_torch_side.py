import json

import numpy as np
import pytest
import torch

from nvs_jax.diffusion import karras_sigmas
from scripts.accelerator.torch_side import LAYOUTS, karras_levels, laid_out
from scripts.bench_accelerator import Options, main


def test_noise_levels_are_the_samplers():
    for steps in (5, 25):
        np.testing.assert_allclose(karras_levels(steps), np.asarray(karras_sigmas(steps)), rtol=1e-5)


def test_weights_of_convolutions_are_laid_out_as_named():
    network = torch.nn.ModuleList([torch.nn.Conv2d(4, 4, 3), torch.nn.Conv3d(4, 4, (3, 1, 1))])
    forms = {}
    for layout, formats in LAYOUTS.items():
        flat, deep = (module.weight for module in laid_out(network, formats))
        forms[layout] = (
            flat.is_contiguous(memory_format=torch.channels_last),
            deep.is_contiguous(memory_format=torch.channels_last_3d),
        )
    assert [*forms.values()] == [(False, False), (True, False), (True, True)]


@pytest.mark.full
def test_all_of_pytorchs_side_at_toy_size(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("signal.signal", lambda *_: None)  # which only a process of its own should change
    assert main(Options(size="toy", side="torch", out=tmp_path)) == 0
    rows = {row["what"]: row for row in json.loads((tmp_path / "results.json").read_text())["rows"]}
    for what in (
        *(f"UNet, float32, {layout}" for layout in LAYOUTS),
        "the release's step of DGS, float32, compiled",
        "WanTransformer3DModel, bfloat16, its layers compiled",
        "AutoencoderKLWan, decode, float32",
    ):
        assert rows[what]["figures"]["ms"] > 0
        assert rows[what]["environment"]["torch"] == torch.__version__
