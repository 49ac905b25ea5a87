"""Clips: a camera on a random path through a random scene. Rendered once, kept as bytes in one file."""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray, UInt8
from tqdm import tqdm

from nvs_jax.errors import InputError
from nvs_jax.geometry.cameras import intrinsics_matrix, look_at
from nvs_jax.scenes import random_scene, render_path
from scripts.train.settings import ClipSettings

Clips = UInt8[np.ndarray, "n f H W 3"]


def random_path(key: PRNGKeyArray, frames: int, radius: float, largest_turn: float) -> Float[Array, "f 4 4"]:
    """World-to-camera poses of a camera that moves evenly from one random place to another.

    Args:
        key: of the randomness.
        frames: how many poses.
        radius: usual distance from the origin.
        largest_turn: degrees about the origin from the first pose to the last, at most.
    """
    keys = iter(jax.random.split(key, 7))

    def uniform(low: float, high: float, shape: tuple[int, ...] = ()) -> Array:
        return jax.random.uniform(next(keys), shape, minval=low, maxval=high)

    along = jnp.linspace(0, 1, frames)
    angle = jnp.radians(uniform(-25, 25) + along * uniform(-largest_turn, largest_turn))
    height = uniform(-0.5, 0.3) + along * uniform(-0.3, 0.3)
    distance = radius * (uniform(0.92, 1.04) + along * uniform(-0.06, 0.06))
    target = uniform(-0.2, 0.2, (3,))
    places = jnp.stack([distance * jnp.sin(angle), height, distance * jnp.cos(angle)], -1)
    return jax.vmap(look_at, in_axes=(0, None))(places, target)


def random_lens(key: PRNGKeyArray, settings: ClipSettings) -> Float[Array, "3 3"]:
    """K of a camera whose horizontal angle is anything between the narrowest and the widest."""
    narrow, wide = settings.fields_of_view
    half = jnp.radians(jax.random.uniform(key, minval=narrow, maxval=wide)) / 2
    return intrinsics_matrix(settings.width / 2 / jnp.tan(half), settings.height, settings.width, "release")


@partial(jax.jit, static_argnames="settings")
def render_clip(key: PRNGKeyArray, settings: ClipSettings) -> UInt8[Array, "f H W 3"]:
    """One clip, 8 bits a channel."""
    for_scene, for_path, for_shading, for_lens = jax.random.split(key, 4)
    scene = random_scene(for_scene, settings.scenes)
    poses = random_path(for_path, settings.frames, settings.scenes.orbit_radius, settings.largest_turn)
    K = random_lens(for_lens, settings)
    shiny = jax.random.uniform(for_shading)
    size, samples = (settings.height, settings.width), settings.samples
    views = render_path(scene, poses, K, *size, samples=samples, view_dependent=shiny)
    return jnp.round(255 * views.picture).astype(jnp.uint8)


def rendered_clips(folder: Path, settings: ClipSettings) -> Clips:
    """All clips, the held-out ones last; rendered where that has not been done, going on where it was broken off."""
    total = settings.count + settings.held_out
    shape = (total, settings.frames, settings.height, settings.width, 3)
    path, progress = folder / "clips.npy", folder / "clips.done"
    done = int(progress.read_text()) if path.exists() and progress.exists() else 0
    if not done:
        np.lib.format.open_memmap(path, "w+", np.uint8, shape).flush()
    clips = np.load(path, mmap_mode="r+", allow_pickle=False)
    if clips.shape != shape:
        raise InputError(f"{path} holds clips of shape {clips.shape}, not {shape}: take another folder")
    for index in tqdm(range(done, total), desc="clips", initial=done, total=total, disable=done == total):
        clips[index] = render_clip(jax.random.key(settings.first_seed + index), settings)
        if index % 100 == 99 or index == total - 1:
            clips.flush()
            progress.write_text(str(index + 1))
    return np.load(path, mmap_mode="r", allow_pickle=False)
