"""What the published config.json of a CLIP image encoder says (no JAX here)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nvs_jax.errors import InputError
from nvs_jax.models.published import class_of, read_fields

_CLASSES = ("CLIPVisionModelWithProjection", "CLIPVisionModel")
_MOST_LAYERS = 1000


@dataclasses.dataclass(frozen=True)
class ImageEncoderConfig:
    """`CLIPVisionModelWithProjection`."""

    hidden_size: int = 1280
    intermediate_size: int = 5120
    num_hidden_layers: int = 32
    num_attention_heads: int = 16
    image_size: int = 224
    patch_size: int = 14
    num_channels: int = 3
    projection_dim: int = 1024
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-5


def parse_image_encoder(published: Mapping[str, Any], where: str) -> ImageEncoderConfig:
    """The published JSON object as a configuration, with or without projection; `where` names it in errors.

    Raises:
        InputError: it is another class's, or says something that cannot be.
    """
    name = class_of(published)
    if name not in _CLASSES:
        raise InputError(f"{where} is the configuration of {name or 'an unnamed class'}, not of a {_CLASSES[0]}")
    config = read_fields(ImageEncoderConfig, published, where)
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if not isinstance(value, str) and value <= 0:
            raise InputError(f"{where}: {field.name} must be positive")
    if config.hidden_size % config.num_attention_heads:
        raise InputError(f"{where}: num_attention_heads does not divide hidden_size")
    if config.num_hidden_layers > _MOST_LAYERS:
        raise InputError(f"{where}: num_hidden_layers of {config.num_hidden_layers} are more than any network has")
    return config


def published_image_encoder(config: ImageEncoderConfig) -> dict[str, Any]:
    """The inverse of `parse_image_encoder`, ready for JSON."""
    return {"architectures": [_CLASSES[0]]} | dataclasses.asdict(config)
