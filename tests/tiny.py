"""A tiny SVD with random weights, as networks and as a folder in diffusers' layout, and a scene small enough for it."""

import json
from functools import cache
from pathlib import Path

import numpy as np

from nvs_jax.media import write_picture
from nvs_jax.models.svd.build import build
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import SVDNetworks
from nvs_jax.models.weights import parameter_specs, random_weights
from nvs_jax.pipeline import Pipeline
from tests.convert.published import CONFIGS, Tensors, write_folder

HEIGHT, WIDTH, FRAMES = 24, 32, 4


@cache
def tiny_pipeline(seed: int = 0) -> Pipeline:
    """One for all tests of a process: making it takes as long as many of them."""
    return Pipeline(SVD(tiny_networks(seed)))


@cache
def tiny_networks(seed: int = 0) -> SVDNetworks:
    """What it is made of."""
    networks = {}
    for index, (component, config) in enumerate(CONFIGS.items()):
        networks[f"{component}_config"] = config
        networks[component] = random_weights(build(config), 10 * seed + index)
    return SVDNetworks(**networks)


def write_tiny_folder(folder: Path, seed: int = 0, frames: int | None = None) -> Path:
    """The same networks as published files; of a model trained on so many frames, if that is said."""
    write_folder(folder, _published(seed))
    if frames is not None:
        path = folder / "unet" / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"num_frames": frames}))
    return folder


def write_scene(folder: Path) -> Path:
    """photo.png and depth.npy of `scene`."""
    photo, depth = scene()
    write_picture(folder / "photo.png", photo)
    np.save(folder / "depth.npy", depth)
    return folder


@cache
def _published(seed: int) -> dict[str, Tensors]:
    networks = tiny_networks(seed)
    tensors = {}
    for component, config in CONFIGS.items():
        specs, weights = parameter_specs(build(config)), networks.weights(component)
        inverse = {name: np.argsort(spec.published_axes) for name, spec in specs.items()}
        tensors[component] = {
            name: np.ascontiguousarray(np.asarray(weights[name]).transpose(inverse[name])) for name in specs
        }
    return tensors


def scene(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A picture and its depth: a square in front of a wall."""
    rng = np.random.default_rng(seed)
    picture = rng.random((HEIGHT, WIDTH, 3), np.float32)
    depth = np.full((HEIGHT, WIDTH), 8.0, np.float32)
    depth[8:16, 10:20] = 4.0
    return picture, depth
