"""Depth Anything's networks in transformers with random weights, and the folders they would be published as."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessorPil

from tests.models.svd.torch_parity import randomise

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

# What transformers 5 calls the attention's projections in memory -> in the published files.
_PUBLISHED = {"q_proj": "attention.query", "k_proj": "attention.key", "v_proj": "attention.value"}
_PUBLISHED |= {"o_proj": "output.dense"}


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


def network(published: dict[str, Any], seed: int = 0) -> DepthAnythingForDepthEstimation:
    """transformers' network with random weights everywhere; a bias keeps the result above the last ReLU."""
    known = {name: value for name, value in published.items() if name not in ("architectures", "model_type")}
    module = DepthAnythingForDepthEstimation(DepthAnythingConfig(**known))
    randomise(module, seed)
    if module.config.depth_estimation_type == "relative":
        module.get_parameter("head.conv3.bias").fill_(4.0)
    return module


def processor(**changes: Any) -> DPTImageProcessorPil:
    """transformers' processor of pictures: of its two the one that needs no torchvision."""
    known = {name: value for name, value in PREPROCESSING.items() if name != "image_processor_type"}
    return DPTImageProcessorPil(**(known | changes))


def published_name(name: str) -> str:
    """The key in a published file of a parameter of transformers' network."""
    for ours, theirs in _PUBLISHED.items():
        name = name.replace(f".attention.{ours}.", f".attention.{theirs}.")
    return name


def tensors(module: DepthAnythingForDepthEstimation) -> dict[str, torch.Tensor]:
    """What a published file holds."""
    return {published_name(name): tensor.contiguous() for name, tensor in module.state_dict().items()}


def write_folder(folder: Path, published: dict[str, Any] | None = None, seed: int = 0) -> Path:
    """A Depth Anything in transformers' layout."""
    published = config() if published is None else published
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(published))
    save_file(tensors(network(published, seed)), folder / "model.safetensors")
    return folder
