"""LPIPS's published weights in one safetensors file, for `nvs-jax benchmark --lpips` and `nvs_jax.loading.load_lpips`.

    python -m scripts.lpips_weights vgg vgg16-397923af.pth lpips-vgg.safetensors
    python -m scripts.lpips_weights alex alexnet-owt-7be5be79.pth lpips-alex.safetensors

The backbone is torchvision's, trained on ImageNet; its file lies in the folder `models` of PyTorch's downloads. The
weights of channels come with the package `lpips` (`pip install --no-deps lpips`), whose code is not run. PyTorch reads
both, without unpickling anything but tensors; nothing is downloaded.
"""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Literal

import torch
import tyro
from safetensors.torch import save_file
from tyro.conf import Positional

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.models.lpips import ALEXNET, VGG16, Backbone
from scripts.mistakes import mistakes_in_one_line

BACKBONES = {"vgg": VGG16, "alex": ALEXNET}
Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Arguments:
    """What to put together."""

    net: Positional[Literal["vgg", "alex"]]
    """The backbone."""
    backbone: Positional[Path]
    """Its published file."""
    out: Positional[Path]
    """The file to write."""
    channels: Path | None = None
    """The weights of channels, weights/v0.1/NET.pth of the package `lpips`; None: of the package that is installed."""


def tensors(backbone: Backbone, published: Tensors, channels: Tensors) -> dict[str, torch.Tensor]:
    """What the file holds, by the names of the package `lpips`.

    Args:
        backbone: what is wanted of it.
        published: torchvision's, `features.N.weight`, among others that are left out.
        channels: the package's.

    Raises:
        InputError: a tensor is not there.
    """
    found = dict(channels)
    for layer in backbone.layers:
        for part in ("weight", "bias"):
            key = f"features.{layer.key.rsplit('.', 1)[1]}.{part}"
            if key not in published:
                raise InputError(f"the backbone's file has no {key}: is it that of {backbone.name}?")
            found[f"{layer.key}.{part}"] = published[key]
    return found


def main(arguments: Arguments) -> None:
    """Read both files and write one.

    Raises:
        InputError: a file that is not what it should be; nothing is written.
    """
    channels = arguments.channels or _of_the_package(arguments.net)
    read = [_read(file) for file in (arguments.backbone, channels)]
    with atomic_path(arguments.out) as path:
        save_file(tensors(BACKBONES[arguments.net], *read), path)
    print(arguments.out)


def _read(file: Path) -> Tensors:
    try:
        found = torch.load(file, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, UnpicklingError) as error:
        why = (str(error).splitlines() or ["it ends too soon"])[0]
        raise InputError(f"{file} holds no tensors alone that PyTorch reads: {why}") from None
    if not (isinstance(found, dict) and all(isinstance(value, torch.Tensor) for value in found.values())):
        raise InputError(f"{file} is no dictionary of tensors")
    return found


def _of_the_package(net: str) -> Path:
    try:
        found = importlib.metadata.distribution("lpips").locate_file(f"lpips/weights/v0.1/{net}.pth")
    except importlib.metadata.PackageNotFoundError:
        raise InputError("the package lpips is missing: pip install --no-deps lpips, or name --channels") from None
    return Path(str(found))


if __name__ == "__main__":
    with mistakes_in_one_line():
        main(tyro.cli(Arguments, description=__doc__))
