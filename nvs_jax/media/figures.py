"""Pictures of numbers: the table of trust, and depth in colours. matplotlib is imported on use (0.5 s)."""

import os

import numpy as np
from jaxtyping import Float

from nvs_jax.disk import atomic_path
from nvs_jax.media.photo import Picture


def trust_heat_map(
    path: str | os.PathLike[str], trust: Float[np.ndarray, "steps f"], sigmas: Float[np.ndarray, "steps"]
) -> None:
    """Draw the trust in the warped view against the network, w = lambda/(1+lambda), per step and frame.

    Args:
        path: where to; the ending chooses the format (.png, .pdf, .svg).
        trust: w, [steps, F] in [0, 1].
        sigmas: [steps] noise level of each step, without the final 0.
    """
    from matplotlib.figure import Figure  # without pyplot: no window system, no global state
    from matplotlib.ticker import MaxNLocator

    steps, _ = trust.shape
    figure = Figure(figsize=(8, 5), layout="constrained", dpi=150)
    axes = figure.add_subplot()
    image = axes.imshow(trust, vmin=0, vmax=1, cmap="viridis", aspect="auto", interpolation="nearest")
    axes.set_xlabel("frame")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    rows = np.unique(np.linspace(0, steps - 1, min(steps, 11)).round().astype(int))
    axes.set_yticks(rows, [f"{row}   $\\sigma$ {sigmas[row]:.3g}" for row in rows])
    axes.set_ylabel("step")
    axes.set_title("Trust in the warped view: 1 keeps it, 0 leaves the frame to the model")
    figure.colorbar(image, ax=axes)
    with atomic_path(path) as temporary:
        figure.savefig(temporary)


def depth_picture(depth: Float[np.ndarray, "h w"]) -> Picture:
    """A depth map in colours, near bright and far dark; zeros (no measurement) are black.

    Colours follow 1/depth between its 2nd and 98th percentile, so that one stray pixel does not flatten the rest.
    """
    from matplotlib import colormaps

    known = depth > 0
    if not known.any():
        return np.zeros((*depth.shape, 3), np.float32)
    disparity = 1 / np.where(known, depth, np.inf)
    low, high = np.percentile(disparity[known], [2, 98])
    shade = np.clip((disparity - low) / max(high - low, np.finfo(np.float32).tiny), 0, 1)
    return np.where(known[..., None], colormaps["inferno"](shade)[..., :3], 0).astype(np.float32)
