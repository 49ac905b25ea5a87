"""Depth Anything's networks in transformers with random weights, and the folders they would be published as."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, DPTImageProcessorPil

from tests.models.depth.folders import PREPROCESSING, config
from tests.models.svd.torch_parity import randomise

# What transformers 5 calls the attention's projections in memory -> in the published files.
_PUBLISHED = {"q_proj": "attention.query", "k_proj": "attention.key", "v_proj": "attention.value"}
_PUBLISHED |= {"o_proj": "output.dense"}


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
