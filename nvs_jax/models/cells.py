"""Which cells of a VAE's latents are holes, by the pixels that they stand for."""

from jaxtyping import Array, Bool, Float

from nvs_jax.geometry.masks import cell_means, smoothstep

HOLE_SHARE = 0.2
"""As the release: 13 of a cell's 64 pixels make it a hole."""


def hole_cells(mask: Bool[Array, "n H W"], side: int) -> Bool[Array, "n h w"]:
    """Cells of so many pixels a side of which at least a fifth are True."""
    return cell_means(mask, side) >= HOLE_SHARE


def hidden_cells(visible: Float[Array, "n H W"], side: int) -> Float[Array, "n h w"]:
    """`hole_cells` without yes or no: 0 where nothing is hidden, a half at a fifth, 1 from two fifths on."""
    return smoothstep(cell_means(1 - visible, side) / (2 * HOLE_SHARE))
