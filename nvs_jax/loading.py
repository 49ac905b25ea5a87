"""Weights from wherever they are, as models: the only door to `convert`."""

from functools import partial
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from convert import load_networks, open_source
from convert.depth_anything import open_depth
from nvs_jax.models.depth import DepthEstimator
from nvs_jax.models.svd.in_turn import NetworksInTurn
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import CONFIG_CLASSES
from nvs_jax.sharding import replicated


def load_model(source: str | Path, *, dtype: Any = None, low_memory: bool = False, mesh: Mesh | None = None) -> SVD:
    """A video model from published weights; arguments and errors as `nvs_jax.load`."""
    sharding = None if mesh is None else lambda _: replicated(mesh)
    if not low_memory:
        return SVD(load_networks(source, dtype, sharding))
    opened = open_source(source)
    configs = {component: opened.config(component) for component in CONFIG_CLASSES}
    return SVD(NetworksInTurn(configs, partial(opened.load_component, dtype=dtype, sharding=sharding)))


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
