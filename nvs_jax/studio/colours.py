"""Latents as small pictures, by a linear map from latents to colours: fast enough to be looked at while they clear."""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nvs_jax.diffusion import Codec
from nvs_jax.models.contract import Lattice
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path

SEEDS = range(3)
"""Procedural scenes that the map is fitted on."""
_CELLS = 24
"""Of latents, about, along each side of their pictures."""


@dataclass(frozen=True, eq=False)
class Colours:
    """rgb = A z + b.

    Attributes:
        matrix: A, and b in its last row.
        spread: standard deviation of clean latents; noisy ones are scaled down to it.
    """

    matrix: Float[np.ndarray, "rows 3"]
    spread: float

    def __call__(self, latents: Float[np.ndarray, "n h w c"]) -> Float[np.ndarray, "n h w 3"]:
        scaled = latents * min(1.0, self.spread / max(float(latents.std()), 1e-9))
        return scaled @ self.matrix[:-1] + self.matrix[-1]


def fit_colours(codec: Codec, lattice: Lattice) -> Colours:
    """The map that is best, by least squares, on a few procedural scenes.

    Args:
        codec: of the model.
        lattice: of the model.
    """
    side = -(-_CELLS // lattice.cells) * lattice.pixels
    scenes = SceneSettings()
    pose, lens = default_view(side, side, scenes)
    known, seen = [], []
    for seed in SEEDS:
        picture = render_path(random_scene(seed, scenes), pose[None], lens, side, side, samples=1).picture[0]
        known.append(np.asarray(codec.encode(jnp.asarray(picture)[None]), np.float64)[0])
        cells = side // lattice.cell
        seen.append(np.asarray(picture, np.float64).reshape(cells, lattice.cell, cells, lattice.cell, 3).mean((1, 3)))
    latents, colours = np.stack(known), np.stack(seen)
    flat = latents.reshape(-1, latents.shape[-1])
    matrix, *_ = np.linalg.lstsq(np.column_stack([flat, np.ones(len(flat))]), colours.reshape(-1, 3), rcond=None)
    return Colours(matrix.astype(np.float32), float(latents.std()))
