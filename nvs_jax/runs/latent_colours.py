"""Latents as small pictures, while they clear: colours that are linear in them, fitted once to what a codec encodes.

A decoder would take as long as steps do; of a VAE's latents an affine map says layout and colours.
"""

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
    cells, scenes = side // lattice.cell, SceneSettings()
    pose, lens = default_view(side, side, scenes)
    latents, colours = [], []
    for seed in SEEDS:
        picture = render_path(random_scene(seed, scenes), pose[None], lens, side, side, samples=1).picture[0]
        latents.append(np.asarray(codec.encode(jnp.asarray(picture)[None]), np.float64)[0])
        blocks = np.asarray(picture, np.float64).reshape(cells, lattice.cell, cells, lattice.cell, 3)
        colours.append(blocks.mean((1, 3)))
    return least_squares(np.stack(latents), np.stack(colours))


def least_squares(latents: Float[np.ndarray, "n h w c"], colours: Float[np.ndarray, "n h w 3"]) -> Colours:
    """The map that is best for these latents, of these colours."""
    flat = latents.reshape(-1, latents.shape[-1])
    known = np.column_stack([flat, np.ones(len(flat))])
    matrix, *_ = np.linalg.lstsq(known, colours.reshape(-1, 3), rcond=None)
    return Colours(matrix.astype(np.float32), float(latents.std()))
