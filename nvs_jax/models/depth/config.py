"""What the published config.json of a Depth Anything says, as frozen dataclasses (no JAX here).

A field has the published name and the default that transformers gives it. Keys that do not change what the network
computes are left unread; a value this port cannot express is an error that names it.
"""

import dataclasses
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nvs_jax.disk.files import read_json
from nvs_jax.errors import InputError

_ARCHITECTURE = "DepthAnythingForDepthEstimation"
# Far beyond any network: a file must not make us build a billion layers.
_MOST_LAYERS, _MOST_CHANNELS = 1000, 2**16


@dataclasses.dataclass(frozen=True)
class BackboneConfig:
    """`Dinov2Backbone`. `out_indices` counts layers from 1: the outputs that are handed on."""

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    mlp_ratio: int = 4
    layer_norm_eps: float = 1e-6
    image_size: int = 224
    patch_size: int = 14
    out_indices: tuple[int, ...] = (12,)

    @property
    def grid(self) -> int:
        """Patches along each side of the pictures it was trained on."""
        return self.image_size // self.patch_size


@dataclasses.dataclass(frozen=True)
class DepthConfig:
    """`DepthAnythingForDepthEstimation`. Fields of the neck have one entry for each output of the backbone."""

    backbone: BackboneConfig = BackboneConfig()
    reassemble_hidden_size: int = 384
    reassemble_factors: tuple[float, ...] = (4.0, 2.0, 1.0, 0.5)
    neck_hidden_sizes: tuple[int, ...] = (48, 96, 192, 384)
    fusion_hidden_size: int = 64
    head_in_index: int = -1
    head_hidden_size: int = 32
    depth_estimation_type: str = "relative"
    max_depth: float = 1.0

    @property
    def metric(self) -> bool:
        """Whether it estimates depth in metres; else disparity of unknown scale and shift."""
        return self.depth_estimation_type == "metric"


def read_depth_config(path: Path) -> DepthConfig:
    """Read a published config.json.

    Raises:
        InputError: the file is missing, is not JSON, is not a Depth Anything's, or says something this port cannot
            express.
    """
    if not path.is_file():
        raise InputError(f"{path} is missing: point at a folder in transformers' layout of Depth Anything")
    return parse_depth_config(read_json(path), str(path))


def parse_depth_config(published: Mapping[str, Any], where: str) -> DepthConfig:
    """The published JSON object as a configuration; `where` names it in errors.

    Raises:
        InputError: see `read_depth_config`.
    """
    architectures = published.get("architectures")
    named = architectures[0] if isinstance(architectures, list) and architectures else published.get("model_type")
    if named not in (_ARCHITECTURE, "depth_anything"):
        raise InputError(f"{where} is the configuration of {named or 'an unnamed class'}, not of {_ARCHITECTURE}")
    inner = published.get("backbone_config")
    if not isinstance(inner, dict) or inner.get("model_type") != "dinov2":
        raise InputError(f"{where}: backbone_config must describe a dinov2")
    backbone = _backbone(inner, f"{where}: backbone_config")
    config = DepthConfig(backbone=backbone, **_values(DepthConfig, published, where))
    _same(published, "patch_size", backbone.patch_size, where, default=14)
    _check(config, where)
    return config


def _backbone(published: Mapping[str, Any], where: str) -> BackboneConfig:
    expressed = {"hidden_act": "gelu", "use_swiglu_ffn": False, "qkv_bias": True, "num_channels": 3}
    for name, value in (expressed | {"apply_layernorm": True}).items():
        _same(published, name, value, where, default=value)
    _same(published, "reshape_hidden_states", False, where, default=True)
    values = _values(BackboneConfig, published, where)
    if published.get("out_indices") is None:
        stages = published.get("out_features") or ["stage12"]
        try:
            values["out_indices"] = tuple(int(stage.removeprefix("stage")) for stage in stages)
        except (AttributeError, TypeError, ValueError):
            raise InputError(f"{where}: out_features must be names such as stage12, not {stages!r}") from None
    config = BackboneConfig(**values)
    if config.hidden_size % config.num_attention_heads:
        raise InputError(f"{where}: num_attention_heads does not divide hidden_size")
    if config.grid < 1:
        raise InputError(f"{where}: image_size is smaller than patch_size")
    indices = config.out_indices
    if list(indices) != sorted(set(indices)) or not 1 <= indices[0] <= indices[-1] <= config.num_hidden_layers:
        raise InputError(f"{where}: out_indices must rise from 1 to at most {config.num_hidden_layers}")
    return config


def _check(config: DepthConfig, where: str) -> None:
    """Refuse what would only fail later, while the network is built."""
    outputs = len(config.backbone.out_indices)
    for name in ("reassemble_factors", "neck_hidden_sizes"):
        if len(getattr(config, name)) != outputs:
            raise InputError(f"{where}: {name} needs {outputs} entries, one for each of backbone_config's out_indices")
    if config.reassemble_hidden_size != config.backbone.hidden_size:
        raise InputError(f"{where}: reassemble_hidden_size and backbone_config's hidden_size differ")
    for factor in config.reassemble_factors:
        if (factor if factor >= 1 else 1 / factor) % 1:
            raise InputError(f"{where}: reassemble_factors must be whole numbers or their inverses, not {factor}")
    if not -outputs <= config.head_in_index < outputs:
        raise InputError(f"{where}: head_in_index must be one of {outputs} outputs, not {config.head_in_index}")
    if config.depth_estimation_type not in ("relative", "metric"):
        raise InputError(f"{where}: depth_estimation_type must be relative or metric")


def _values(kind: type, published: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The fields of `kind` that are published, of the kind of their defaults."""
    fields = {field.name: field.default for field in dataclasses.fields(kind) if field.name != "backbone"}
    return {
        name: _value(name, published[name], default, where)
        for name, default in fields.items()
        if published.get(name) is not None
    }


def _value(name: str, value: Any, like: Any, where: str) -> Any:
    if isinstance(like, tuple):
        if not isinstance(value, list) or not 1 <= len(value) <= 16:
            raise InputError(f"{where}: {name} must be a list of 1 to 16 numbers")
        return tuple(_value(name, entry, like[0], where) for entry in value)
    if isinstance(like, str):
        return str(value)
    if isinstance(like, int):
        most = _MOST_LAYERS if name == "num_hidden_layers" else _MOST_CHANNELS
        least = -most if name == "head_in_index" else 1
        if type(value) is not int or not least <= value <= most:
            raise InputError(f"{where}: {name} must be an integer from {least} to {most}, not {value!r}")
        return value
    if type(value) not in (int, float) or not 1e-12 <= value <= _MOST_CHANNELS or not math.isfinite(value):
        raise InputError(f"{where}: {name} must be a positive number, not {value!r}")
    return float(value)


def _same(published: Mapping[str, Any], name: str, expected: Any, where: str, *, default: Any) -> None:
    value = published.get(name, default)
    if value != expected:
        raise InputError(f"{where}: {name} is {value!r}; this port knows {expected!r} alone")
