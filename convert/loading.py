"""Weights from wherever they are: a published folder or one of this project's checkpoints."""

from pathlib import Path
from typing import Any

from convert.diffusers_layout import is_diffusers_folder, open_folder
from nvs_jax.checkpoint import check_destination, is_checkpoint, restore_checkpoint, save_checkpoint
from nvs_jax.errors import InputError
from nvs_jax.models.svd.networks import SVDNetworks, WeightSharding


def load_networks(source: str | Path, dtype: Any = None, sharding: WeightSharding | None = None) -> SVDNetworks:
    """Load an SVD.

    Args:
        source: a folder in diffusers' layout, or a checkpoint written by `convert`.
        dtype: of the UNet and the image encoder; None keeps the stored one. The VAE stays float32.
        sharding: where each parameter goes; None puts all on the default device.

    Raises:
        InputError: `source` is neither, or is damaged.
    """
    path = Path(source)
    if is_checkpoint(path):
        return restore_checkpoint(path, dtype, sharding)
    if is_diffusers_folder(path):
        return open_folder(path).load(dtype, sharding)
    fault = "holds no weights this project reads" if path.exists() else "does not exist"
    raise InputError(
        f"{source} {fault}: expected a folder in the diffusers layout of SVD (with model_index.json) "
        "or a checkpoint written by `nvs-jax convert` (with nvs_jax.json)"
    )


def convert(source: str | Path, destination: str | Path, dtype: Any = None, *, overwrite: bool = False) -> None:
    """Write the weights of `source` as a checkpoint of this project, all or nothing.

    Args:
        source: see `load_networks`.
        destination: the folder to make.
        dtype: see `load_networks`.
        overwrite: replace a checkpoint that is already there.

    Raises:
        InputError: see `load_networks`; or there is something at `destination`.
    """
    check_destination(destination, overwrite=overwrite)
    save_checkpoint(destination, load_networks(source, dtype), source=Path(source).resolve().name, overwrite=overwrite)
