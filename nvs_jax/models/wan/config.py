"""What the published config.json files of a Wan say, as frozen dataclasses (no JAX here).

A field has the published name, and the default of the published class. Keys that do not change what the network
computes are left unread; a value this port cannot express is an error that names it.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from nvs_jax.errors import InputError
from nvs_jax.models.published import class_of, read_fields

_LATENTS_MEAN = (
    *(-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508),
    *(0.4134, -0.0715, 0.5517, -0.3632, -0.1922, -0.9497, 0.2503, -0.2921),
)
_LATENTS_STD = (
    *(2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743),
    *(3.2687, 2.1526, 2.8652, 1.5579, 1.6382, 1.1253, 2.8251, 1.9160),
)


@dataclasses.dataclass(frozen=True)
class TransformerConfig:
    """`WanTransformer3DModel`, or `WanVACETransformer3DModel` where `vace_layers` names some."""

    patch_size: tuple[int, ...] = (1, 2, 2)
    num_attention_heads: int = 40
    attention_head_dim: int = 128
    in_channels: int = 16
    out_channels: int = 16
    text_dim: int = 4096
    freq_dim: int = 256
    ffn_dim: int = 13824
    num_layers: int = 40
    cross_attn_norm: bool = True
    eps: float = 1e-6
    image_dim: int | None = None
    added_kv_proj_dim: int | None = None
    vace_layers: tuple[int, ...] = ()
    vace_in_channels: int = 96

    @property
    def width(self) -> int:
        """Channels of a token."""
        return self.num_attention_heads * self.attention_head_dim

    @property
    def patch_cells(self) -> int:
        """Latent cells of a token."""
        return math.prod(self.patch_size)


@dataclasses.dataclass(frozen=True)
class VAEConfig:
    """`AutoencoderKLWan`: Wan2.1's, or by configuration Wan2.2's (`is_residual`, `patch_size`), whose channels in and
    out are those of a patch."""

    base_dim: int = 96
    decoder_base_dim: int | None = None
    z_dim: int = 16
    dim_mult: tuple[int, ...] = (1, 2, 4, 4)
    num_res_blocks: int = 2
    temperal_downsample: tuple[bool, ...] = (False, True, True)
    latents_mean: tuple[float, ...] = _LATENTS_MEAN
    latents_std: tuple[float, ...] = _LATENTS_STD
    is_residual: bool = False
    in_channels: int = 3
    out_channels: int = 3
    patch_size: int | None = None

    @property
    def stride(self) -> int:
        """Pixels along each side of a latent cell."""
        return 2 ** (len(self.dim_mult) - 1) * (self.patch_size or 1)

    @property
    def frame_step(self) -> int:
        """Frames to a latent frame after the first."""
        return 2 ** sum(self.temperal_downsample)


_TRANSFORMER, _VACE, _VAE = "WanTransformer3DModel", "WanVACETransformer3DModel", "AutoencoderKLWan"


def parse_transformer(published: Mapping[str, Any], where: str) -> TransformerConfig:
    """The published JSON object as a configuration; `where` names it in errors.

    Raises:
        InputError: it is another class's, or says something this port cannot express.
    """
    name = class_of(published)
    if name not in (_TRANSFORMER, _VACE):
        raise InputError(f"{where} is the configuration of {name or 'an unnamed class'}, not of Wan's {_TRANSFORMER}")
    refuse = _refusal(where)
    if published.get("qk_norm", "rms_norm_across_heads") != "rms_norm_across_heads":
        refuse(f"qk_norm {published['qk_norm']!r} is none that this version knows")
    if published.get("pos_embed_seq_len") is not None:
        refuse("pos_embed_seq_len: models of a first and a last picture are none that this version knows")
    if name == _VACE and not published.get("vace_layers"):
        refuse("vace_layers must list layers")
    relevant = published if name == _VACE else {k: v for k, v in published.items() if not k.startswith("vace_")}
    config = read_fields(TransformerConfig, relevant, where)
    _check_transformer(config, refuse)
    return config


def parse_vae(published: Mapping[str, Any], where: str) -> VAEConfig:
    """The same of the VAE."""
    name = class_of(published)
    if name != _VAE:
        raise InputError(f"{where} is the configuration of {name or 'an unnamed class'}, not of Wan's {_VAE}")
    refuse = _refusal(where)
    if published.get("attn_scales"):
        refuse("attn_scales: attention beside the middle is none that this version knows")
    config = read_fields(VAEConfig, published, where)
    _check_positive(config, ("base_dim", "z_dim", "num_res_blocks", "in_channels", "out_channels"), refuse)
    if not 2 <= len(config.dim_mult) <= 8 or 0 in config.dim_mult:
        refuse("dim_mult must have 2 to 8 entries from 1")
    if len(config.temperal_downsample) != len(config.dim_mult) - 1:
        refuse("temperal_downsample must have one entry less than dim_mult")
    if config.frame_step != 4:
        refuse("two of temperal_downsample must be true: four frames to a latent frame")
    if not len(config.latents_mean) == len(config.latents_std) == config.z_dim or min(config.latents_std) <= 0:
        refuse("latents_mean and latents_std must have z_dim entries, the latter positive")
    return config


def published_transformer(config: TransformerConfig) -> dict[str, Any]:
    """The inverse of `parse_transformer`, ready for JSON."""
    name = _VACE if config.vace_layers else _TRANSFORMER
    return {"_class_name": name} | dataclasses.asdict(config)


def published_vae(config: VAEConfig) -> dict[str, Any]:
    """The inverse of `parse_vae`, ready for JSON."""
    return {"_class_name": _VAE} | dataclasses.asdict(config)


def _refusal(where: str) -> Callable[[str], NoReturn]:
    def refuse(fault: str) -> NoReturn:
        raise InputError(f"{where}: {fault}")

    return refuse


def _check_positive(config: Any, names: tuple[str, ...], refuse: Callable[[str], NoReturn]) -> None:
    for name in names:
        if getattr(config, name) < 1:
            refuse(f"{name} must be at least 1")


def _check_transformer(config: TransformerConfig, refuse: Callable[[str], NoReturn]) -> None:
    sizes = ("num_attention_heads", "attention_head_dim", "in_channels", "out_channels", "text_dim", "freq_dim")
    _check_positive(config, (*sizes, "ffn_dim", "num_layers"), refuse)
    if len(config.patch_size) != 3 or config.patch_size[0] != 1 or 0 in config.patch_size:
        refuse(f"patch_size must be [1, rows, columns], not {list(config.patch_size)}")
    if config.num_layers > 1000:
        refuse(f"num_layers of {config.num_layers} are more than any network has")
    if config.attention_head_dim % 2:
        refuse("attention_head_dim must be even")
    if (config.image_dim is None) != (config.added_kv_proj_dim is None):
        refuse("image_dim and added_kv_proj_dim belong together")
    if config.added_kv_proj_dim not in (None, config.width):
        refuse(f"added_kv_proj_dim must be the width, {config.width}")
    if config.vace_layers:
        step, rest = divmod(config.num_layers, len(config.vace_layers))
        if rest or config.vace_layers != tuple(range(0, config.num_layers, step)):
            refuse("vace_layers must be every so many layers, from the first")
