"""What the published config.json of a UMT5 says, as a frozen dataclass (no JAX here)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nvs_jax.errors import InputError
from nvs_jax.models.published import class_of, read_fields

_CLASS, _FEED_FORWARD = "UMT5EncoderModel", "gated-gelu"


@dataclasses.dataclass(frozen=True)
class TextEncoderConfig:
    """`UMT5EncoderModel`; a field has the published name, and the default of the published class."""

    vocab_size: int = 250112
    d_model: int = 512
    d_kv: int = 64
    d_ff: int = 1024
    num_layers: int = 8
    num_heads: int = 6
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 128
    layer_norm_epsilon: float = 1e-6


def parse_text_encoder(published: Mapping[str, Any], where: str) -> TextEncoderConfig:
    """The published JSON object as a configuration; `where` names it in errors.

    Raises:
        InputError: it is another class's, or says something this port cannot express.
    """
    name = class_of(published)
    if name != _CLASS:
        raise InputError(f"{where} is the configuration of {name or 'an unnamed class'}, not of a {_CLASS}")
    if published.get("feed_forward_proj", _FEED_FORWARD) != _FEED_FORWARD:
        raise InputError(f"{where}: feed_forward_proj must be {_FEED_FORWARD}")
    config = read_fields(TextEncoderConfig, published, where)
    for field in dataclasses.fields(config):
        if getattr(config, field.name) <= 0:
            raise InputError(f"{where}: {field.name} must be positive")
    if config.relative_attention_num_buckets % 4 or config.num_layers > 1000:
        raise InputError(f"{where}: relative_attention_num_buckets must divide by 4, and num_layers be at most 1000")
    return config


def published_text_encoder(config: TextEncoderConfig) -> dict[str, Any]:
    """The inverse of `parse_text_encoder`, ready for JSON."""
    return {"architectures": [_CLASS], "feed_forward_proj": _FEED_FORWARD} | dataclasses.asdict(config)
