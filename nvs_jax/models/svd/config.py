"""What the published config.json files of an SVD say, as frozen dataclasses (no JAX here).

A field has the published name where there is one. Keys that do not change what the network computes are left unread;
a value this port cannot express is an error that names it.
"""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from nvs_jax.errors import InputError

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


_CLASS_NAMES = {
    UNetConfig: "UNetSpatioTemporalConditionModel",
    VAEConfig: "AutoencoderKLTemporalDecoder",
    ImageEncoderConfig: "CLIPVisionModelWithProjection",
}
_BLOCK_TYPES = {
    "CrossAttnDownBlockSpatioTemporal",
    "DownBlockSpatioTemporal",
    "CrossAttnUpBlockSpatioTemporal",
    "UpBlockSpatioTemporal",
    "DownEncoderBlock2D",
}


def read_config(kind: type[Config], path: Path) -> Config:
    """Read one config.json.

    Raises:
        InputError: the file is missing, is not JSON, is not this class's, or says something this port cannot express.
    """
    return parse_config(kind, read_json(path), str(path))


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file.

    Raises:
        InputError: the file is missing, is not JSON or holds no object.
    """
    try:
        published = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path} is missing: point at a folder in the diffusers layout of SVD") from None
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} is not readable JSON: {error}") from None
    if not isinstance(published, dict):
        raise InputError(f"{path} holds a JSON {type(published).__name__}, not an object")
    return published


def published_form(config: UNetConfig | VAEConfig | ImageEncoderConfig) -> dict[str, Any]:
    """The inverse of `parse_config`, ready for JSON."""
    return {"_class_name": _CLASS_NAMES[type(config)]} | dataclasses.asdict(config)


def parse_config(kind: type[Config], published: Mapping[str, Any], where: str) -> Config:
    """The published JSON object as a configuration; `where` names it in errors.

    Raises:
        InputError: see `read_config`.
    """
    expected = _CLASS_NAMES[kind]
    named = published.get("_class_name") or next(iter(published.get("architectures") or []), None)
    if named != expected:
        raise InputError(f"{where} is the configuration of {named or 'an unnamed class'}, not of SVD's {expected}")
    fields = {field.name for field in dataclasses.fields(kind)}
    values = {name: _tuples(value) for name, value in published.items() if name in fields and value is not None}
    if kind is UNetConfig:
        _spread_over_levels(values, where)
    try:
        config = kind(**values)
        _check(config, where)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where} does not describe a {expected}: {error}") from None
    return config


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _spread_over_levels(values: dict[str, Any], where: str) -> None:
    """One number for all levels becomes one number a level, as diffusers does."""
    levels = len(values.get("block_out_channels", UNetConfig.block_out_channels))
    singles = {"layers_per_block": 2, "cross_attention_dim": 1024, "num_attention_heads": (5, 10, 20, 20)}
    for name, default in singles.items():
        value = values.get(name, default)
        values[name] = value if isinstance(value, tuple) else (value,) * levels
    per_level = values.get("transformer_layers_per_block", 1)
    per_level = per_level if isinstance(per_level, tuple) else (per_level,) * levels
    if len(per_level) != levels or len(values["layers_per_block"]) != levels:
        raise InputError(f"{where}: layers_per_block and transformer_layers_per_block need {levels} entries")
    values["transformer_layers_per_block"] = tuple(
        entry if isinstance(entry, tuple) else (entry,) * layers
        for entry, layers in zip(per_level, values["layers_per_block"], strict=True)
    )


def _check(config: Any, where: str) -> None:
    """Refuse what would only fail later, in the middle of building the network."""
    levels = len(config.block_out_channels) if hasattr(config, "block_out_channels") else 0
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        flat = value if isinstance(value, tuple) else (value,)
        if isinstance(field.default, int) and (not isinstance(value, int) or value <= 0):
            raise InputError(f"{where}: {field.name} must be a positive integer, not {value!r}")
        if field.name.endswith("block_types"):
            unknown = [name for name in flat if name not in _BLOCK_TYPES]
            if unknown:
                raise InputError(f"{where}: {field.name} names {unknown[0]!r}, which SVD does not have")
            if len(flat) != levels:
                raise InputError(f"{where}: {field.name} and block_out_channels differ in length")
        elif isinstance(value, tuple) and isinstance(config, UNetConfig) and len(value) != levels:
            raise InputError(f"{where}: {field.name} needs {levels} entries, one a level")
        if field.name == "block_out_channels" and any(
            not isinstance(width, int) or width <= 0 or width % 32 for width in flat
        ):
            raise InputError(f"{where}: block_out_channels must be multiples of 32, not {list(flat)}")
