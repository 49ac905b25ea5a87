"""Stable Video Diffusion as a family: its row for `nvs_jax.models.families`."""

from collections.abc import Mapping
from typing import Any

from nvs_jax.models.families import Family
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.config import parse_config, published_form
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import CONFIG_CLASSES, SVDNetworks, held_dtype
from nvs_jax.models.weights import Weights


def gather(configs: Mapping[str, Any], weights: Mapping[str, Weights]) -> SVDNetworks:
    """The networks from their parts."""
    parts: dict[str, Any] = {f"{component}_config": config for component, config in configs.items()}
    parts |= weights
    return SVDNetworks(**parts)


FAMILY = Family(
    name="svd",
    configs={component: kind() for component, kind in CONFIG_CLASSES.items()},
    uses={"embed": "image_encoder", "encode": "vae", "sample": "unet", "decode": "vae"},
    parse=lambda component, published, where: parse_config(CONFIG_CLASSES[component], published, where),
    published=published_form,
    build=build,
    held_dtype=held_dtype,
    gather=gather,
    model=SVD,
    reached={"embed": 0.2, "encode": 0.21, "sample": 0.43, "decode": 0.22},
)
