"""The whole transformer against diffusers on random weights, in all its variants, and what holds of it besides."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.models.transformers.transformer_wan import WanTransformer3DModel
from diffusers.models.transformers.transformer_wan_vace import WanVACETransformer3DModel

from nvs_jax.errors import InputError
from nvs_jax.models.wan.config import TransformerConfig, parse_transformer
from nvs_jax.models.wan.transformer.network import WanTransformer
from nvs_jax.models.weights import Weights, bind, random_weights
from tests.models.comparing import QUICK_COMPILE, relative_error
from tests.models.svd.torch_parity import randomise
from tests.models.wan.torch_parity import stacked_from_torch, video_from_torch, video_to_torch

TOLERANCE = 1e-5
SMALL: dict[str, Any] = {
    "num_attention_heads": 2,
    "attention_head_dim": 14,  # 6 channels for frames, 4 for rows, 4 for columns
    "in_channels": 5,
    "out_channels": 3,
    "text_dim": 9,
    "freq_dim": 8,
    "ffn_dim": 20,
    "num_layers": 3,
}
VARIANTS: dict[str, dict[str, Any]] = {
    "text to video": {},
    "one layer, no norm before the text": {"num_layers": 1, "cross_attn_norm": False, "patch_size": (1, 1, 1)},
    "image to video": {"image_dim": 11, "added_kv_proj_dim": 28},
    "VACE": {"num_layers": 4, "vace_layers": [0, 2], "vace_in_channels": 6},
    "VACE in every layer": {"num_layers": 2, "vace_layers": [0, 1], "vace_in_channels": 6},
}
TEXT = 512  # diffusers takes all but so many tokens for those of the picture


def published(variant: str) -> torch.nn.Module:
    options = SMALL | VARIANTS[variant]
    kind = WanVACETransformer3DModel if "vace_layers" in options else WanTransformer3DModel
    return randomise(kind(**options))


def config_of(theirs: Any) -> TransformerConfig:
    return parse_transformer({"_class_name": type(theirs).__name__, **theirs.config}, "config.json")


def inputs(config: TransformerConfig, b: int = 2, f: int = 3, h: int = 6, w: int = 10) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    given = {
        "x": rng.normal(size=(b, f, h, w, config.in_channels)),
        "text": rng.normal(size=(b, TEXT if config.image_dim else 7, config.text_dim)),
    }
    if config.image_dim is not None:
        given["image"] = rng.normal(size=(b, 4, config.image_dim))
    if config.vace_layers:
        given["control"] = rng.normal(size=(b, f, h, w, config.vace_in_channels))
    return {name: value.astype(np.float32) for name, value in given.items()}


def run_theirs(theirs: Any, given: dict[str, np.ndarray], timestep: np.ndarray) -> np.ndarray:
    options: dict[str, Any] = {}
    if "image" in given:
        options["encoder_hidden_states_image"] = torch.tensor(given["image"])
    if "control" in given:
        options["control_hidden_states"] = video_to_torch(given["control"])
    made = theirs(video_to_torch(given["x"]), torch.tensor(timestep), torch.tensor(given["text"]), **options)
    return video_from_torch(made.sample)


def run_ours(config: TransformerConfig, weights: Weights, given: dict[str, np.ndarray], timestep: np.ndarray):
    def apply(weights: Weights, given: dict[str, Any], timestep: jax.Array) -> jax.Array:
        given = dict(given)
        return bind(WanTransformer(config), weights)(given.pop("x"), timestep, given.pop("text"), **given)

    return jax.jit(apply, compiler_options=QUICK_COMPILE)(weights, given, timestep)


@pytest.mark.parametrize("variant", VARIANTS)
def test_agrees_with_diffusers(variant):
    theirs = published(variant)
    config = config_of(theirs)
    given, timestep = inputs(config), np.array([3.0, 871.5], np.float32)
    ours = run_ours(config, stacked_from_torch(theirs, WanTransformer(config)), given, timestep[:, None])
    assert relative_error(ours, run_theirs(theirs, given, timestep)) <= TOLERANCE


def test_agrees_with_diffusers_where_frames_have_times_of_their_own():
    """As in TI2V, whose first latent frame is clean; diffusers wants a time for each token."""
    theirs = published("text to video")
    config = config_of(theirs)
    given = inputs(config)
    timestep = np.array([[0.0, 500.0, 500.0], [0.0, 31.0, 999.0]], np.float32)
    ours = run_ours(config, stacked_from_torch(theirs, WanTransformer(config)), given, timestep)
    assert relative_error(ours, run_theirs(theirs, given, np.repeat(timestep, 15, axis=1))) <= TOLERANCE


def small(**options: Any) -> tuple[TransformerConfig, Weights]:
    config = TransformerConfig(**(SMALL | options))
    return config, random_weights(WanTransformer(config), 0)


def test_a_deep_network_is_no_larger_a_program_than_a_shallow_one():
    def lines(layers: int) -> int:
        config, weights = small(num_layers=layers)
        given = inputs(config)
        apply = jax.jit(lambda weights, x, text: bind(WanTransformer(config), weights)(x, jnp.ones((2, 1)), text))
        return len(apply.lower(weights, given["x"], given["text"]).as_text().splitlines())

    assert lines(12) == lines(2)


@pytest.mark.full
@pytest.mark.parametrize("options", [{}, {"num_layers": 4, "vace_layers": (0, 2), "vace_in_channels": 6}])
def test_gradients_are_the_same_whether_layers_are_computed_again(options):
    config, weights = small(**options)
    given = jax.tree.map(jnp.asarray, inputs(config, b=1, f=1, h=2, w=2))
    x = given.pop("x")

    def loss(x: jax.Array, remat: bool) -> jax.Array:
        text, rest = given["text"], {name: value for name, value in given.items() if name != "text"}
        return jnp.square(bind(WanTransformer(config), weights)(x, jnp.ones((1, 1)), text, **rest, remat=remat)).sum()

    kept, again = (jax.jit(jax.grad(loss), static_argnums=1)(x, remat) for remat in (False, True))
    assert relative_error(again, kept) <= 1e-5


def test_computes_in_the_dtype_of_the_latents():
    config, weights = small()
    given = {name: value.astype(jnp.bfloat16) for name, value in inputs(config).items()}
    timestep = np.full((2, 1), 500.0, np.float32)
    narrow = run_ours(config, {name: value.astype(jnp.bfloat16) for name, value in weights.items()}, given, timestep)
    assert narrow.dtype == jnp.bfloat16
    assert relative_error(narrow, run_ours(config, weights, inputs(config), timestep)) <= 0.05  # 8 bits, three layers


def test_sizes_that_patches_do_not_divide_are_refused():
    config, weights = small()
    with pytest.raises(InputError, match="5x10 do not fit this transformer: make them multiples of 2x2"):
        run_ours(config, weights, inputs(config, h=5), np.ones((2, 1), np.float32))
