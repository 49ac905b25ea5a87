"""Weights from wherever they are, as models: the only door to `convert`."""

from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from convert import open_published, open_source
from convert.depth_anything import open_depth
from convert.lpips import open_lpips
from nvs_jax.errors import InputError
from nvs_jax.models.contract import VideoModel
from nvs_jax.models.depth import DepthEstimator
from nvs_jax.models.families import family
from nvs_jax.models.lpips import Lpips
from nvs_jax.models.networks import WeightSharding
from nvs_jax.models.opened import Opened
from nvs_jax.models.stacked import is_of_stack
from nvs_jax.settings import RenderSettings
from nvs_jax.sharding import divided_weights, replicated

__all__ = ["describe_model", "load_depth", "load_lpips", "load_model", "open_published", "open_source"]


def load_model(
    source: str | Path,
    *,
    dtype: Any = None,
    low_memory: bool = False,
    mesh: Mesh | None = None,
    divide_weights: bool = False,
    frames: int | None = None,
    told: RenderSettings | None = None,
) -> VideoModel:
    """A video model from published weights; arguments and errors as `nvs_jax.load`."""
    opened = open_source(source)
    if frames is not None:
        opened.lattice.check_frames(frames)
    if told is not None:
        family(opened.family).described(opened.configs).told(told)
    sharding = None if mesh is None else _homes(opened, mesh, divide_weights)
    networks = opened.in_turn(dtype, sharding) if low_memory else opened.networks(dtype, sharding)
    return family(opened.family).model(networks)


def describe_model(source: str | Path, *, mesh: Mesh | None = None, divide_weights: bool = False) -> VideoModel:
    """A video model that says what it is and takes, before its weights are read.

    Args:
        source: see `nvs_jax.load`.
        mesh: that its weights will go to.
        divide_weights: whether they will be divided among its devices.

    Raises:
        InputError: `source` is nothing that can be loaded, or not in this way.
    """
    opened = open_source(source)
    if mesh is not None:
        _homes(opened, mesh, divide_weights)
    return family(opened.family).described(opened.configs)


def _homes(opened: Opened, mesh: Mesh, divide: bool) -> WeightSharding:
    """Where weights go: to every device, or, of the layers of the network that samples, a part to each.

    Raises:
        InputError: that network has no layers of one shape, which could be gathered one at a time.
    """
    whole, parts = replicated(mesh), divided_weights(mesh)
    if not divide:
        return lambda *_: whole
    kin = family(opened.family)
    sampling = kin.uses["sample"]
    if not any(map(is_of_stack, opened.specs(sampling))):
        raise InputError(f"mesh.weights: the weights of a model of the family {kin.name} stay whole; leave it out")
    return lambda name, shape: parts(shape) if name.startswith(f"{sampling}/") and is_of_stack(name) else whole


def check_depth(source: str | Path) -> None:
    """Whether `load_depth` will find its weights: before long work that needs them at its end.

    Args:
        source: see `load_depth`.

    Raises:
        InputError: they cannot be had.
    """
    open_depth(source)


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


def load_lpips(source: str | Path) -> Lpips:
    """LPIPS with its weights, in float32: VGG16 or AlexNet, whichever the file holds.

    Args:
        source: a safetensors file as scripts/lpips_weights.py makes it, by the names of the package `lpips`.

    Raises:
        InputError: the file is missing, damaged, or another network's.
    """
    return open_lpips(source)
