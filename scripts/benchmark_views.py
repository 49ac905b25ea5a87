"""How good warps from several views are, on procedural scenes with true depth: `python scripts/benchmark_views.py`.

A view halfway between two cameras is warped from either and from both, and compared with the truth.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jaxtyping import Array, Bool, Float

from nvs_jax.geometry import Warp
from nvs_jax.geometry.fusion import Sources, warp_nearest
from nvs_jax.geometry.trajectories import ellipse_at
from nvs_jax.scenes import SceneSettings, default_view, random_scene, render_path
from nvs_jax.settings import WarpSettings


class Score(NamedTuple):
    """What is measured of one warp of one scene."""

    psnr: float
    holes: float


def score(warp: Warp, truth: Float[Array, "h w 3"]) -> Score:
    """PSNR in dB over what is no hole, and the share of holes, of a warp with one frame."""
    return Score(psnr(warp.pictures[0], truth, ~warp.hole[0]), float(warp.hole.mean()))


def psnr(picture: Float[Array, "h w 3"], truth: Float[Array, "h w 3"], where: Bool[Array, "h w"]) -> float:
    """Peak signal to noise ratio over some pixels, in dB."""
    error = jnp.where(where[..., None], picture - truth, 0)
    return float(-10 * jnp.log10((error**2).sum() / (3 * where.sum())))


def scores(
    seeds: range, size: tuple[int, int], apart: float, samples: int, settings: WarpSettings
) -> Iterator[dict[str, Score]]:
    """For every scene the better of the two single sources, and both together."""
    scenes, (height, width) = SceneSettings(), size
    radius = scenes.orbit_radius
    poses = ellipse_at(radius, radius, jnp.array([-apart, apart, 0.0]))
    _, K = default_view(height, width, scenes)
    for seed in seeds:
        views = render_path(random_scene(seed, scenes), poses, K, height, width, samples=samples)
        sources = Sources(views.picture[:2], views.depth[:2], jnp.stack([K] * 2), poses[:2])

        def warped(*chosen: int, sources=sources) -> Warp:
            parts = jax.tree.map(lambda array: array[np.array(chosen)], sources)
            return warp_nearest(parts, poses[2:], K, len(chosen), settings)

        singles = [score(warped(source), views.picture[2]) for source in (0, 1)]
        fused = score(warped(0, 1), views.picture[2])
        yield {"single": min(singles, key=lambda one: one.holes), "fused": fused}


def main(
    scenes: int = 8,
    first_seed: int = 20000,
    size: tuple[int, int] = (576, 1024),
    apart: float = 8.0,
    samples: int = 2,
    warp: WarpSettings = WarpSettings(),  # noqa: B008
) -> None:
    """Print a table.

    Args:
        scenes: how many.
        first_seed: of the first scene.
        size: rows and columns of the pictures.
        apart: degrees on the orbit from the target to either source.
        samples: rays along each side of a pixel, when scenes are rendered.
        warp: settings of the warp.
    """
    print("| scene | PSNR of one source | of both | holes of one source | of both |\n|---|---|---|---|---|")
    seeds = range(first_seed, first_seed + scenes)
    rows = []
    for seed, scene in zip(seeds, scores(seeds, size, apart, samples, warp), strict=True):
        single, fused = scene["single"], scene["fused"]
        rows.append((single.psnr, fused.psnr, 100 * single.holes, 100 * fused.holes))
        print(_row(str(seed), rows[-1]), flush=True)
    print(_row("mean", np.mean(rows, axis=0)))


def _row(name: str, values: np.ndarray | tuple[float, ...]) -> str:
    one, both, holes_of_one, holes_of_both = values
    return f"| {name} | {one:.2f} dB | {both:.2f} dB | {holes_of_one:.1f} % | {holes_of_both:.1f} % |"


if __name__ == "__main__":
    tyro.cli(main)
