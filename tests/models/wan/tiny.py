"""A Wan with random weights, as small as it can be."""

from functools import cache
from pathlib import Path

from nvs_jax.checkpoint import write_checkpoint
from nvs_jax.models.networks import Weightless
from nvs_jax.models.wan.config import TransformerConfig, VAEConfig
from nvs_jax.models.wan.family import FAMILY
from nvs_jax.models.wan.model import Wan
from nvs_jax.models.wan.prompts import PromptsConfig
from nvs_jax.models.weights import random_weights

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
    "prompts": PromptsConfig(tokens=3, width=6),
}
FRAMES = 9


@cache
def tiny_wan() -> Wan:
    weights = {name: random_weights(FAMILY.build(config), i) for i, (name, config) in enumerate(CONFIGS.items())}
    return Wan(Weightless(CONFIGS, weights))


def write_tiny_checkpoint(folder: Path) -> Path:
    """The same as a checkpoint, which keeps two prompts and no text encoder."""
    networks = tiny_wan().networks
    write_checkpoint(folder, FAMILY, CONFIGS, lambda component: networks.weights(component).items())
    return folder
