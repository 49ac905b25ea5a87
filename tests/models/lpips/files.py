"""A file of LPIPS as scripts/lpips_weights.py makes it, with random weights."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from nvs_jax.models.lpips import ALEXNET, Backbone
from nvs_jax.models.lpips.distance import Network
from nvs_jax.models.weights import parameter_specs, random_weights


def write_lpips(file: Path, backbone: Backbone = ALEXNET) -> Path:
    """Of AlexNet where nothing is said, which is small."""
    network = Network(backbone)
    specs, tensors = parameter_specs(network), {}
    for name, values in random_weights(network, 0).items():
        kind, index, part = name.split(".")
        key = backbone.layers[int(index)].key if kind == "convs" else f"lin{index}.model.1"
        published = np.asarray(values).transpose(np.argsort(specs[name].published_axes))
        tensors[f"{key}.{part}"] = np.ascontiguousarray(np.abs(published) if kind == "lins" else published)
    save_file(tensors, file)
    return file
