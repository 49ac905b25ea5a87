"""The release's small SVD, converted: every published tensor once, and nothing else."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

import convert
from convert.diffusers_layout import open_folder
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.networks import CONFIG_CLASSES
from nvs_jax.models.weights import parameter_specs
from tests.convert.published import STEMS, same


@pytest.mark.parametrize("component", CONFIG_CLASSES)
def test_every_published_tensor_is_read_once(parity: Path, component: str):
    folder = open_folder(parity / "svd-tiny")
    published = load_file(parity / "svd-tiny" / component / f"{STEMS[component]}.safetensors")
    specs = parameter_specs(build(folder.configs[component]))
    weights = folder.load(component)
    assert weights.keys() == published.keys()
    assert all(same(weights[name], tensor.transpose(specs[name].published_axes)) for name, tensor in published.items())


def test_the_checkpoint_holds_the_same(parity: Path, tmp_path: Path):
    convert.convert(parity / "svd-tiny", tmp_path / "checkpoint")
    restored, direct = convert.load_networks(tmp_path / "checkpoint"), convert.load_networks(parity / "svd-tiny")
    for component in CONFIG_CLASSES:
        assert restored.configs[component] == direct.configs[component]
        for name, array in direct.weights(component).items():
            assert same(restored.weights(component)[name], np.asarray(array))
