"""LPIPS from one safetensors file: backbone and weights of channels by the names of the package `lpips`."""

from pathlib import Path

import numpy as np

from convert.key_table import Ignored, KeyTable, Rule, match
from convert.safetensors_file import SafetensorsFile
from convert.tensor_files import TensorFiles
from convert.transfer import transfer
from nvs_jax.disk import at_hand
from nvs_jax.errors import InputError
from nvs_jax.models.lpips import ALEXNET, VGG16, Backbone, Lpips
from nvs_jax.models.lpips.distance import Network
from nvs_jax.models.weights import parameter_specs

_MADE_BY = "scripts/lpips_weights.py makes one (docs/benchmark.md)"


def lpips_table(backbone: Backbone) -> KeyTable:
    """Where each parameter of `Network` is."""
    convs = (Rule(rf"convs\.{index}\.(weight|bias)", rf"{layer.key}.\1") for index, layer in enumerate(backbone.layers))
    return (
        *convs,
        Rule(r"lins\.(\d)\.weight", r"lin\1.model.1.weight"),
        Ignored(r"lins\.\d\.model\.1\.weight", "lin0 to lin4 again"),
        Ignored(r"scaling_layer\.(shift|scale)", "constants of the package's version 0.1"),
    )


def open_lpips(source: str | Path) -> Lpips:
    """Read the weights; the first convolution tells the backbone.

    Raises:
        InputError: the file is missing, a pickle, damaged, or of neither backbone.
    """
    path = at_hand(source)
    if not path.is_file():
        raise InputError(f"{source} is no file: LPIPS needs its weights as one safetensors file; {_MADE_BY}")
    tensors = TensorFiles(str(source), [SafetensorsFile(path)])
    first = tensors.tensors.get(VGG16.layers[0].key + ".weight")
    kernels = {(backbone.layers[0].kernel,) * 2: backbone for backbone in (VGG16, ALEXNET)}
    backbone = kernels.get(tuple(first.shape[2:])) if first is not None else None
    if backbone is None:
        raise InputError(f"{source} holds neither LPIPS with VGG16 nor with AlexNet; {_MADE_BY}")
    specs = parameter_specs(Network(backbone))
    taken = match(lpips_table(backbone), tensors.tensors, specs, tensors.name)
    return Lpips(dict(transfer(tensors, taken, specs, "lpips", lambda _: np.dtype(np.float32))), backbone)
