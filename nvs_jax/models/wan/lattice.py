"""Which videos a Wan of these configurations takes, and whether its networks fit together."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from nvs_jax.errors import InputError
from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.contract import Lattice
from nvs_jax.models.wan.config import TransformerConfig, VAEConfig


class Videos(NamedTuple):
    """What a model was trained on, and is sampled as: frames, rows and columns, frames a second, shift of the flow."""

    frames: int
    rows: int
    columns: int
    fps: int
    shift: float


WAN_2_1, WAN_2_2 = Videos(81, 480, 832, 16, 3.0), Videos(121, 704, 1280, 24, 5.0)


def videos_of(vae: VAEConfig) -> Videos:
    """The versions differ in their VAEs."""
    return WAN_2_2 if vae.is_residual else WAN_2_1


def lattice_of(configs: Mapping[str, Any]) -> Lattice:
    """What networks of these configurations take: four frames share a latent after the first, two by two cells a token.

    Raises:
        InputError: the transformer is of another kind than the networks beside it, or has patches that are no squares.
    """
    transformer, vae = configs["transformer"], configs["vae"]
    _check(transformer, vae, configs.get("image_encoder"))
    frames = videos_of(vae).frames
    return Lattice(vae.stride, transformer.patch_size[1], frame_step=vae.frame_step, channels=vae.z_dim, frames=frames)


def is_image_to_video(transformer: TransformerConfig) -> bool:
    """Whether channels beside the noisy latents say how the video begins."""
    return transformer.in_channels > transformer.out_channels


def _check(transformer: TransformerConfig, vae: VAEConfig, image_encoder: ImageEncoderConfig | None) -> None:
    _, rows, columns = transformer.patch_size
    if rows != columns:
        raise InputError(f"a transformer whose patches are {rows}x{columns} cells: this version knows square ones")
    beside = vae.z_dim + vae.frame_step if is_image_to_video(transformer) else 0
    if transformer.in_channels != vae.z_dim + beside:
        raise InputError(
            f"a transformer of {transformer.in_channels} channels on latents of {vae.z_dim}: this version knows those "
            f"that see latents alone, or {2 * vae.z_dim + vae.frame_step} channels, a picture's beside them"
        )
    control = 2 * vae.z_dim + vae.stride**2
    if transformer.vace_layers and transformer.vace_in_channels != control:
        raise InputError(
            f"a branch of VACE's of {transformer.vace_in_channels} channels: beside this VAE it must have {control}"
        )
    width = None if image_encoder is None else image_encoder.hidden_size
    if transformer.image_dim not in (None, width):
        raise InputError(
            f"a transformer that is told of a picture in tokens of {transformer.image_dim} numbers: its image encoder "
            + ("is missing" if width is None else f"makes some of {width}")
        )
