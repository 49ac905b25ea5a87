"""Wan as a family: its row for `nvs_jax.models.families`."""

from collections.abc import Callable, Mapping
from typing import Any

from flax import nnx

from nvs_jax.models.clip.config import ImageEncoderConfig, parse_image_encoder, published_image_encoder
from nvs_jax.models.clip.image_encoder import TokenEncoder
from nvs_jax.models.families import Family
from nvs_jax.models.networks import Weightless
from nvs_jax.models.wan.config import (
    TransformerConfig,
    VAEConfig,
    parse_transformer,
    parse_vae,
    published_transformer,
    published_vae,
)
from nvs_jax.models.wan.model import Wan
from nvs_jax.models.wan.networks import held_dtype
from nvs_jax.models.wan.prompts import Prompts, PromptsConfig, parse_prompts, published_prompts
from nvs_jax.models.wan.transformer.network import WanTransformer
from nvs_jax.models.wan.vae.network import VAE

_PARSE: Mapping[str, Callable[[Mapping[str, Any], str], Any]] = {
    "transformer": parse_transformer,
    "vae": parse_vae,
    "prompts": parse_prompts,
    "image_encoder": parse_image_encoder,
}
_KINDS: Mapping[type, tuple[Callable[[Any], dict[str, Any]], Callable[[Any], nnx.Module]]] = {
    TransformerConfig: (published_transformer, WanTransformer),
    VAEConfig: (published_vae, VAE),
    PromptsConfig: (published_prompts, Prompts),
    ImageEncoderConfig: (published_image_encoder, TokenEncoder),
}

FAMILY = Family(
    name="wan",
    configs={
        "transformer": TransformerConfig(num_attention_heads=12, ffn_dim=8960, num_layers=30),
        "vae": VAEConfig(),
        "prompts": PromptsConfig(),
    },
    further=("image_encoder",),
    uses={"embed": "prompts", "encode": "vae", "sample": "transformer", "decode": "vae"},
    parse=lambda component, published, where: _PARSE[component](published, where),
    published=lambda config: _KINDS[type(config)][0](config),
    build=lambda config: _KINDS[type(config)][1](config),
    held_dtype=held_dtype,
    gather=Weightless,
    model=Wan,
    reached={"embed": 0.2, "encode": 0.21, "sample": 0.59, "decode": 0.2},
)
"""Its published model is T2V-1.3B, which was timed; steps of the others reach 57 to 62 %."""
