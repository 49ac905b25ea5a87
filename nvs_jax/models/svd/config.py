"""What the published config.json files of an SVD say, as frozen dataclasses (no JAX here).

A field has the published name where there is one. Keys that do not change what the network computes are left unread;
a value this port cannot express is an error that names it.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.published import MOST, class_of

Config = TypeVar("Config", bound="UNetConfig | VAEConfig | ImageEncoderConfig")


@dataclasses.dataclass(frozen=True)
class UNetConfig:
    """`UNetSpatioTemporalConditionModel`. Per-level fields have one entry a level, coarsest last."""

    in_channels: int = 8
    out_channels: int = 4
    down_block_types: tuple[str, ...] = (
        "CrossAttnDownBlockSpatioTemporal",
        "CrossAttnDownBlockSpatioTemporal",
        "CrossAttnDownBlockSpatioTemporal",
        "DownBlockSpatioTemporal",
    )
    up_block_types: tuple[str, ...] = (
        "UpBlockSpatioTemporal",
        "CrossAttnUpBlockSpatioTemporal",
        "CrossAttnUpBlockSpatioTemporal",
        "CrossAttnUpBlockSpatioTemporal",
    )
    block_out_channels: tuple[int, ...] = (320, 640, 1280, 1280)
    addition_time_embed_dim: int = 256
    projection_class_embeddings_input_dim: int = 768
    layers_per_block: tuple[int, ...] = (2, 2, 2, 2)
    cross_attention_dim: tuple[int, ...] = (1024, 1024, 1024, 1024)
    transformer_layers_per_block: tuple[tuple[int, ...], ...] = ((1, 1), (1, 1), (1, 1), (1, 1))
    num_attention_heads: tuple[int, ...] = (5, 10, 20, 20)
    num_frames: int = 25

    @property
    def stride(self) -> int:
        """Rows and columns of the latent must be divisible by this."""
        return 2 ** (len(self.block_out_channels) - 1)


@dataclasses.dataclass(frozen=True)
class VAEConfig:
    """`AutoencoderKLTemporalDecoder`."""

    in_channels: int = 3
    out_channels: int = 3
    down_block_types: tuple[str, ...] = ("DownEncoderBlock2D",) * 4
    block_out_channels: tuple[int, ...] = (128, 256, 512, 512)
    layers_per_block: int = 2
    latent_channels: int = 4
    scaling_factor: float = 0.18215

    @property
    def stride(self) -> int:
        """Pixels along each side of a latent cell."""
        return 2 ** (len(self.block_out_channels) - 1)


_CLASS_NAMES = {
    UNetConfig: "UNetSpatioTemporalConditionModel",
    VAEConfig: "AutoencoderKLTemporalDecoder",
    ImageEncoderConfig: "CLIPVisionModelWithProjection",
}
_BLOCK_TYPES = {
    (UNetConfig, "down_block_types"): ("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
    (UNetConfig, "up_block_types"): ("CrossAttnUpBlockSpatioTemporal", "UpBlockSpatioTemporal"),
    (VAEConfig, "down_block_types"): ("DownEncoderBlock2D",),
}
# Far beyond any network: a file must not make us build a billion layers.
_MAX_LEVELS = 8
_MOST = {
    **dict.fromkeys(("layers_per_block", "transformer_layers_per_block"), 64),
    **dict.fromkeys(("num_hidden_layers", "num_frames"), 1000),
}


def read_config(kind: type[Config], path: Path) -> Config:
    """Read one config.json.

    Raises:
        InputError: the file is missing, is not JSON, is not this class's, or says something this port cannot express.
    """
    if not path.exists():
        raise InputError(f"{path} is missing: point at a folder in the diffusers layout of SVD")
    return parse_config(kind, read_json(path), str(path))


def published_form(config: UNetConfig | VAEConfig | ImageEncoderConfig) -> dict[str, Any]:
    """The inverse of `parse_config`, ready for JSON."""
    return {"_class_name": _CLASS_NAMES[type(config)]} | dataclasses.asdict(config)


def parse_config(kind: type[Config], published: Mapping[str, Any], where: str) -> Config:
    """The published JSON object as a configuration; `where` names it in errors.

    Raises:
        InputError: see `read_config`.
    """
    expected, named = _CLASS_NAMES[kind], class_of(published)
    if named != expected:
        raise InputError(f"{where} is the configuration of {named or 'an unnamed class'}, not of SVD's {expected}")
    fields = {field.name for field in dataclasses.fields(kind)}
    values = {name: _tuples(value) for name, value in published.items() if name in fields and value is not None}
    if kind is UNetConfig:
        _spread_over_levels(values, where)
    for field in dataclasses.fields(kind):
        _check_value(field.name, values.get(field.name, field.default), field.default, where)
    config = kind(**values)
    _check(config, where)
    return config


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _spread_over_levels(values: dict[str, Any], where: str) -> None:
    """One number for all levels becomes one number a level, as diffusers does."""
    widths = values.get("block_out_channels", UNetConfig.block_out_channels)
    _check_value("block_out_channels", widths, UNetConfig.block_out_channels, where)
    levels = len(widths)
    singles = {"layers_per_block": 2, "cross_attention_dim": 1024, "num_attention_heads": (5, 10, 20, 20)}
    for name, default in singles.items():
        value = values.get(name, default)
        values[name] = value if isinstance(value, tuple) else (value,) * levels
    _check_value("layers_per_block", values["layers_per_block"], UNetConfig.layers_per_block, where)
    per_level = values.get("transformer_layers_per_block", 1)
    per_level = per_level if isinstance(per_level, tuple) else (per_level,) * levels
    if len(per_level) != levels or len(values["layers_per_block"]) != levels:
        raise InputError(f"{where}: layers_per_block and transformer_layers_per_block need {levels} entries")
    values["transformer_layers_per_block"] = tuple(
        entry if isinstance(entry, tuple) else (entry,) * layers
        for entry, layers in zip(per_level, values["layers_per_block"], strict=True)
    )


def _check(config: UNetConfig | VAEConfig | ImageEncoderConfig, where: str) -> None:
    """Refuse what would only fail later, in the middle of building the network or of a render."""
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        known = _BLOCK_TYPES.get((type(config), field.name))
        unknown = [name for name in value if name not in known] if known else []
        if unknown:
            raise InputError(f"{where}: {field.name} names {unknown[0]!r}, which SVD does not have there")
        if isinstance(value, tuple) and len(value) != len(getattr(config, "block_out_channels", ())):
            raise InputError(f"{where}: {field.name} and block_out_channels differ in length")
        if field.name == "block_out_channels" and any(width % 32 for width in value):
            raise InputError(f"{where}: block_out_channels must be multiples of 32, not {list(value)}")
    if isinstance(config, ImageEncoderConfig) and config.hidden_size % config.num_attention_heads:
        raise InputError(f"{where}: num_attention_heads does not divide hidden_size")
    if isinstance(config, UNetConfig):
        told = 3 * config.addition_time_embed_dim  # frames per second, motion and noise
        if config.projection_class_embeddings_input_dim != told:
            raise InputError(f"{where}: projection_class_embeddings_input_dim must be 3 addition_time_embed_dim")


def _check_value(name: str, value: Any, like: Any, where: str) -> None:
    """Refuse a value that is not of the kind of `like`, the field's default."""
    if isinstance(like, tuple):
        most = _MAX_LEVELS if name != "transformer_layers_per_block" else _MOST[name]
        if not isinstance(value, tuple) or not 1 <= len(value) <= most:
            raise InputError(f"{where}: {name} must be a list of 1 to {most} entries")
        for entry in value:
            _check_value(name, entry, like[0], where)
    elif isinstance(like, int):
        most = _MOST.get(name, MOST)
        if type(value) is not int or not 1 <= value <= most:
            raise InputError(f"{where}: {name} must be a positive integer of at most {most}, not {value!r}")
    elif isinstance(like, float):
        if type(value) is not float or not 0 < value < math.inf:
            raise InputError(f"{where}: {name} must be a positive number, not {value!r}")
    elif not isinstance(value, str):
        raise InputError(f"{where}: {name} must be text, not {value!r}")
