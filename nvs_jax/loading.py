"""Weights from wherever they are, as models: the only door to `convert`."""

from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from convert import open_published, open_source
from convert.depth_anything import open_depth
from nvs_jax.models.contract import VideoModel
from nvs_jax.models.depth import DepthEstimator
from nvs_jax.models.families import family, load_networks
from nvs_jax.sharding import replicated

__all__ = ["load_depth", "load_model", "open_published", "open_source"]


def load_model(
    source: str | Path, *, dtype: Any = None, low_memory: bool = False, mesh: Mesh | None = None
) -> VideoModel:
    """A video model from published weights; arguments and errors as `nvs_jax.load`."""
    sharding = None if mesh is None else lambda *_: replicated(mesh)
    opened = open_source(source)
    networks = opened.in_turn(dtype, sharding) if low_memory else load_networks(opened, dtype, sharding)
    return family(opened.family).model(networks)


def load_depth(source: str | Path) -> DepthEstimator:
    """A Depth Anything V2 with its weights, in float32.

    Args:
        source: OWNER/NAME of a model on the Hugging Face Hub, such as depth-anything/Depth-Anything-V2-Small-hf, or a
            folder in transformers' layout (config.json, model.safetensors, preprocessor_config.json).

    Raises:
        InputError: the weights cannot be had or do not fit.
    """
    opened = open_depth(source)
    return DepthEstimator(opened.config, opened.load(), opened.preprocessing)
