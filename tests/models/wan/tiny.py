"""A Wan with random weights, as small as it can be: text to video, VACE's, or image to video."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from nvs_jax.checkpoint import write_checkpoint
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.networks import Weightless
from nvs_jax.models.wan.config import TransformerConfig, VAEConfig
from nvs_jax.models.wan.family import FAMILY
from nvs_jax.models.wan.model import Wan
from nvs_jax.models.wan.prompts import PromptsConfig
from nvs_jax.models.weights import random_weights

Kind = Literal["text", "vace", "image"]

CONFIGS = {
    "transformer": TransformerConfig(
        num_attention_heads=1,
        attention_head_dim=12,
        in_channels=2,
        out_channels=2,
        text_dim=6,
        freq_dim=8,
        ffn_dim=16,
        num_layers=2,
    ),
    "vae": VAEConfig(
        base_dim=2,
        z_dim=2,
        dim_mult=(1, 1, 1),
        num_res_blocks=1,
        temperal_downsample=(True, True),
        latents_mean=(0.1, -0.1),
        latents_std=(0.5, 0.6),
    ),
    "prompts": PromptsConfig(width=6),
}
IMAGE_ENCODER = ImageEncoderConfig(
    hidden_size=8,
    intermediate_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    image_size=8,
    patch_size=4,
    projection_dim=4,
)
FRAMES = 9


@cache
def configs_of(kind: Kind) -> dict[str, Any]:
    """Of its networks."""
    text = CONFIGS["transformer"]
    match kind:
        case "text":
            return CONFIGS
        case "vace":
            return CONFIGS | {"transformer": replace(text, vace_layers=(0, 1), vace_in_channels=2 * 2 + 4 * 4)}
        case "image":
            told = replace(text, in_channels=2 + 4 + 2, image_dim=8, added_kv_proj_dim=12)
            return CONFIGS | {"transformer": told, "image_encoder": IMAGE_ENCODER}


@cache
def tiny_wan(kind: Kind = "text") -> Wan:
    """A model, one for all tests of a process."""
    configs = configs_of(kind)
    weights = {name: random_weights(FAMILY.build(config), i) for i, (name, config) in enumerate(configs.items())}
    return Wan(Weightless(configs, weights))


def write_tiny_checkpoint(folder: Path, kind: Kind = "text") -> Path:
    """The same as a checkpoint, which keeps two prompts and no text encoder."""
    networks = tiny_wan(kind).networks
    write_checkpoint(folder, FAMILY, configs_of(kind), lambda component: networks.weights(component).items())
    return folder
