"""The published 1.3B with all its layers and widths, against diffusers on random weights."""

import json
from typing import Any

import jax
import numpy as np
import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel

from nvs_jax.configs import configs_folder
from nvs_jax.models.wan.config import parse_transformer
from nvs_jax.models.wan.transformer.network import WanTransformer
from nvs_jax.models.weights import bind
from scripts.parity_full_size import normal, randomise
from tests.models.comparing import relative_error
from tests.models.wan.torch_parity import stacked, video_from_torch, video_to_torch


@pytest.mark.full
def test_the_1_3b_agrees_with_diffusers_in_float32():
    """In 11 GB, and two minutes on two cores."""
    published = json.loads((configs_folder("models") / "wan2_1_t2v_1_3b" / "transformer" / "config.json").read_text())
    config, rng = parse_transformer(published, "config.json"), np.random.default_rng(0)
    x, text = normal(rng, 1, 3, 6, 10, config.in_channels), normal(rng, 1, 9, config.text_dim)
    timestep = np.array([871.5], np.float32)
    made_of: Any = WanTransformer3DModel.from_config(published)
    theirs: Any = randomise(made_of, 0)
    del made_of
    with torch.inference_mode():
        made = theirs(video_to_torch(x), torch.tensor(timestep), torch.tensor(text)).sample
    tensors = {name: value.numpy() for name, value in theirs.named_parameters()}
    del theirs
    weights = stacked(tensors, WanTransformer(config))
    ours = jax.jit(lambda weights, *inputs: bind(WanTransformer(config), weights)(*inputs))
    assert relative_error(np.asarray(ours(weights, x, timestep[:, None], text)), video_from_torch(made)) <= 5e-6
