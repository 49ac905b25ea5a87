"""Depth Anything's published folders in small, with random weights; what is written with PyTorch is in `published`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file

from nvs_jax.models.depth.config import parse_depth_config
from nvs_jax.models.depth.network import DepthAnything
from nvs_jax.models.weights import parameter_specs, random_weights

# preprocessor_config.json of Depth Anything V2.
PREPROCESSING: dict[str, Any] = {
    "do_normalize": True,
    "do_pad": False,
    "do_rescale": True,
    "do_resize": True,
    "ensure_multiple_of": 14,
    "image_mean": [0.485, 0.456, 0.406],
    "image_processor_type": "DPTImageProcessor",
    "image_std": [0.229, 0.224, 0.225],
    "keep_aspect_ratio": True,
    "resample": 3,
    "rescale_factor": 1 / 255,
    "size": {"height": 518, "width": 518},
    "size_divisor": None,
}


def config(**changes: Any) -> dict[str, Any]:
    """A small config.json; `backbone_config`'s entries and the others are told apart by their names."""
    backbone = {
        "model_type": "dinov2",
        "hidden_size": 32,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "image_size": 70,
        "patch_size": 14,
        "out_indices": [1, 2, 3, 4],
        "reshape_hidden_states": False,
    }
    whole = {
        "architectures": ["DepthAnythingForDepthEstimation"],
        "model_type": "depth_anything",
        "reassemble_hidden_size": 32,
        "reassemble_factors": [4, 2, 1, 0.5],
        "neck_hidden_sizes": [8, 8, 16, 16],
        "fusion_hidden_size": 16,
        "head_hidden_size": 8,
    }
    inner = {name: value for name, value in changes.items() if name in backbone or name.startswith("layer_norm")}
    outer = {name: value for name, value in changes.items() if name not in inner}
    return whole | outer | {"backbone_config": backbone | inner}


def write_folder(folder: Path, published: dict[str, Any] | None = None, **preprocessing: Any) -> Path:
    """A Depth Anything in transformers' layout; a bias keeps the result above the last ReLU.

    Args:
        folder: to make.
        published: its config.json, or that of `config`.
        preprocessing: what preprocessor_config.json says otherwise than that of Depth Anything V2; if nothing, it is
            left out.
    """
    published = config() if published is None else published
    network = DepthAnything(parse_depth_config(published, "config.json"))
    weights = {name: np.asarray(value) for name, value in random_weights(network, 0).items()}
    if published.get("depth_estimation_type", "relative") == "relative":
        weights["head.conv3.bias"] = np.full_like(weights["head.conv3.bias"], 4.0)
    tensors = {
        name: np.ascontiguousarray(weights[name].transpose(np.argsort(spec.published_axes)))
        for name, spec in parameter_specs(network).items()
    }
    tensors["backbone.embeddings.mask_token"] = np.zeros((1, published["backbone_config"]["hidden_size"]), np.float32)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(published))
    if preprocessing:
        (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSING | preprocessing))
    save_file(tensors, folder / "model.safetensors")
    return folder
