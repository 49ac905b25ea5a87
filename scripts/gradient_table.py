"""Gradients through a whole render, beside central differences: docs/gradients.md.

    python -m scripts.gradient_table

The embedded model, a procedural scene, DGS with the smooth selection over a warp with soft edges. Gradients are in
float32, the differences they are held against in float64, where a small step says something. Takes seven minutes on two
cores.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from jaxtyping import Array, Float

from nvs_jax.diffusion import Coefficients, Problem, Trust, closed_form_trust, solve
from nvs_jax.geometry import fill_holes, forward_warp, intrinsics_matrix, orbit
from nvs_jax.models.svd.codec import SVDCodec
from nvs_jax.models.svd.model import SVD
from nvs_jax.models.svd.networks import as_svd
from nvs_jax.pipeline import Pipeline, load
from nvs_jax.pytree import pytree
from nvs_jax.scenes import default_view, random_scene, render_path
from nvs_jax.settings import RenderSettings, ResampleSettings, WarpSettings
from nvs_jax.steering import from_photo
from nvs_jax.steering.preparing import Noise
from scripts.documentation import write_results
from scripts.mistakes import mistakes_in_one_line

QUANTITIES = {
    "v1": "times e^x",
    "v2": "times e^x",
    "v3": "times e^x",
    "lambda": "of all frames, times e^x",
    "radius": "of the path across the view, times e^x",
    "poses": "x times a random shift of every camera",
    "focal length": "times e^x",
    "depth": "times e^(x random), a number a pixel",
    "scale of depth": "times e^x",
    "noise": "x times more noise",
    "given picture": "x times a random picture",
}
"""What a loss is differentiated in: a number x, at 0, for each."""
Seen = Literal["frames", "latents"]
WARPS = {
    "soft": WarpSettings(splat="soft"),
    "surface, not rounded": WarpSettings(quantize=False),
    "bilinear, not rounded": WarpSettings(splat="bilinear", quantize=False),
    "surface (default)": WarpSettings(),
}
V = (1.0, 300.0, 30.0)


@dataclass(frozen=True)
class Arguments:
    """What to measure."""

    page: Path = Path("docs/gradients.md")
    """Where the tables go, between their markers."""
    few: int = 4
    """Steps of a loss on frames."""
    many: int = 25
    """Steps of a loss on latents."""
    frames: int = 4
    """Of the video."""
    height: int = 48
    """Rows."""
    width: int = 64
    """Columns."""
    step: float = 1e-6
    """Of x, to each side."""
    stride: float = 1e-3
    """The same for the warps alone: as far as an optimiser goes at once, so that jumps are met."""


class Case(NamedTuple):
    """All arrays of one scene: the given view, what random directions are, and the truth."""

    photo: Float[Array, "H W 3"]
    depth: Float[Array, "H W"]
    truth: Float[Array, "f H W 3"]
    shifts: Float[Array, "f 3"]
    deeper: Float[Array, "H W"]
    picture: Float[Array, "H W 3"]
    noise: Noise
    more_noise: Float[Array, "f h w c"]


@pytree
class Shifted:
    """Another trust, whose lambda is e^x times as large."""

    trust: Trust
    x: Array

    def __call__(self, sigma: Array) -> Array:
        """w at `sigma`; of a given view it stays 1."""
        w = self.trust(sigma)
        return w / (w + (1 - w) * jnp.exp(-self.x))


def make_case(arguments: Arguments, pipeline: Pipeline) -> Case:
    """Scene 3, seen a degree a frame farther round than the render below goes."""
    frames, height, width = arguments.frames, arguments.height, arguments.width
    pose, K = default_view(height, width)
    path = orbit(pose[2, 3], pose[2, 3], 5.0, frames)
    view = render_path(random_scene(3), path, K, height, width)
    rng = np.random.default_rng(0)
    shape = pipeline.model.lattice.latent_shape(frames, height, width)
    deeper, bumps = (
        jax.image.resize(jnp.asarray(rng.standard_normal(coarse)), (height, width), "cubic")
        for coarse in ((4, 5), (7, 9))
    )
    return Case(
        photo=view.picture[0],
        # A wall that faces the camera is at one depth: the farthest point is all of its points, and which of them is
        # the farthest once they move is a corner of the loss, exactly where its slope is asked for.
        depth=view.depth[0] * jnp.exp(0.02 * bumps),
        truth=view.picture,
        shifts=jnp.asarray(rng.standard_normal((frames, 3))).at[0].set(0),
        deeper=deeper,
        picture=jnp.asarray(rng.standard_normal((height, width, 3))),
        noise=Noise(jnp.asarray(rng.standard_normal((height, width, 3))), jnp.asarray(rng.standard_normal(shape))),
        more_noise=jnp.asarray(rng.standard_normal(shape)),
    )


def view_of(case: Case, x: Float[Array, "quantities"]) -> tuple[Array, Array, Array, Array]:
    """Photo, depth, K and path at x."""
    at = dict(zip(QUANTITIES, x, strict=True))
    height, width = case.depth.shape
    pose, K = default_view(height, width)
    radius, frames = pose[2, 3].astype(x.dtype), len(case.truth)
    path = orbit(radius * jnp.exp(at["radius"]), radius, 4.0, frames)
    path = path.at[:, :3, 3].add(at["poses"] * case.shifts)
    K = intrinsics_matrix(K[0, 0] * jnp.exp(at["focal length"]), height, width)
    depth = case.depth * jnp.exp(at["scale of depth"] + at["depth"] * case.deeper)
    return case.photo + at["given picture"] * case.picture, depth, K, path.astype(x.dtype)


def problem_of(case: Case, x: Float[Array, "quantities"], pipeline: Pipeline, settings: RenderSettings) -> Problem:
    """The render at x."""
    at = dict(zip(QUANTITIES, x, strict=True))
    noise = case.noise._replace(latents=case.noise.latents + at["noise"] * case.more_noise)
    known = from_photo(*view_of(case, x), settings)
    v = (value * jnp.exp(at[name]) for name, value in zip(("v1", "v2", "v3"), V, strict=True))
    trust = closed_form_trust(known.distance, pipeline.model.sigma_scale, Coefficients(*v))
    return replace(pipeline.prepare(known, noise, settings), trust=Shifted(trust, at["lambda"]))


def make_loss(arguments: Arguments, pipeline: Pipeline, steps: int, seen: Seen) -> Callable[..., Array]:
    """Of (weights, x, case): the mean square of what is wrong with the frames, or with their latents."""
    settings, networks = pipeline.settings, as_svd(pipeline.model.networks)
    settings = replace(
        settings,
        schedule=replace(settings.schedule, steps=steps),
        resample=ResampleSettings(),
        guidance=replace(settings.guidance, estimate="smooth"),
        warp=WarpSettings(splat="soft"),
    )

    def loss(weights: dict[str, Any], x: Array, case: Case) -> Array:
        pipe = Pipeline(SVD(replace(networks, **weights), settings))
        latents = solve(problem_of(case, x, pipe, settings))[0]
        if seen == "frames":
            codec = pipe.model.codec()
            assert isinstance(codec, SVDCodec)
            wide = replace(codec, decode_dtype=str(latents.dtype))  # as the rest
            return jnp.mean((wide.decode(latents[None])[0] - case.truth) ** 2)
        return jnp.mean((latents - pipe.model.codec().encode(case.truth)) ** 2)

    return loss


def differences(value: Callable[[Array], Array], count: int, step: float) -> Float[np.ndarray, "quantities"]:
    """Central ones along each axis, at 0."""
    ends = ((float(value(side * step * axis)) for side in (1, -1)) for axis in jnp.eye(count))
    return np.array([(above - below) / (2 * step) for above, below in ends])


class Slopes(NamedTuple):
    """Of one loss in all quantities, and the memory of the program that gave them."""

    autodiff: Float[np.ndarray, "quantities"]
    differences: Float[np.ndarray, "quantities"]
    bytes: int


def measure(arguments: Arguments, pipeline: Pipeline, steps: int, seen: Seen) -> Slopes:
    """Both slopes of one loss."""
    names, count = ("unet", "vae", "image_encoder"), len(QUANTITIES)
    weights = {name: pipeline.model.networks.weights(name) for name in names}

    def cast(tree: Any, dtype: Any) -> Any:
        return jax.tree.map(lambda array: jnp.asarray(array, dtype), tree)

    loss = make_loss(arguments, pipeline, steps, seen)
    case = cast(make_case(arguments, pipeline), jnp.float32)
    given = cast(weights, jnp.float32), jnp.zeros(count), case
    program = jax.jit(jax.grad(loss, 1)).lower(*given).compile()
    autodiff, memory = np.asarray(program(*given)), program.memory_analysis()
    assert memory is not None
    with jax.enable_x64(True):
        wide, case, value = cast(weights, jnp.float64), cast(case, jnp.float64), jax.jit(loss)
        found = differences(lambda x: value(wide, x, case), count, arguments.step)
    return Slopes(autodiff, found, memory.temp_size_in_bytes)


def measure_warps(arguments: Arguments, case: Case, step: float) -> dict[str, Slopes]:
    """The same of the warp alone, its holes filled, by splat; in float64."""
    slopes = {}
    with jax.enable_x64(True):
        case = jax.tree.map(lambda array: jnp.asarray(array, jnp.float64), case)
        for name, settings in WARPS.items():

            def loss(x: Array, settings: WarpSettings = settings) -> Array:
                photo, depth, K, path = view_of(case, x)
                warp = forward_warp(photo, depth, K, path[0], path[1:], settings)
                return jnp.mean((fill_holes(warp.pictures, warp.unseen) - case.truth[1:]) ** 2)

            zero, value = jnp.zeros(len(QUANTITIES)), jax.jit(loss)
            autodiff = np.asarray(jax.jit(jax.grad(loss))(zero))
            slopes[name] = Slopes(autodiff, differences(value, len(zero), step), 0)
    return slopes


def apart(slopes: Slopes) -> list[str]:
    """In percent of the larger of both slopes."""
    pairs = zip(slopes.autodiff, slopes.differences, strict=True)
    return [f"{100 * abs(a - d) / max(abs(a), abs(d), 1e-30):.2f} %" for a, d in pairs]


def render_tables(arguments: Arguments, runs: dict[str, Slopes], warps: dict[str, Slopes]) -> str:
    """Markdown."""
    rows = ["| x | " + " | ".join(f"{name}: autodiff | differences | apart" for name in runs) + " |"]
    rows.append("| --- |" + " --: |" * (3 * len(runs)))
    for i, (quantity, how) in enumerate(QUANTITIES.items()):
        cells = [f"{r.autodiff[i]:.4e} | {r.differences[i]:.4e} | {apart(r)[i]}" for r in runs.values()]
        rows.append(f"| {quantity}: {how} | " + " | ".join(cells) + " |")
    memory = ", ".join(f"{run.bytes / 2**20:.0f} MiB ({name})" for name, run in runs.items())
    rows += ["", f"Temporary memory of the programs of the gradients: {memory}.", ""]
    shown = ["radius", "poses", "focal length", "depth", "scale of depth", "given picture"]
    rows += [
        f"| the warp alone, over x = ±{arguments.stride:g}: apart in | " + " | ".join(shown) + " |",
        "| --- |" + " --: |" * len(shown),
    ]
    for name, slopes in warps.items():
        percent = dict(zip(QUANTITIES, apart(slopes), strict=True))
        rows.append(f"| {name} | " + " | ".join(percent[quantity] for quantity in shown) + " |")
    size = f"{arguments.frames} frames of {arguments.height}x{arguments.width}"
    return f"{size}, differences over x = ±{arguments.step:g}.\n\n" + "\n".join(rows)


def main(arguments: Arguments) -> None:
    """Measure and write."""
    pipeline = load("demo")
    warps = measure_warps(arguments, make_case(arguments, pipeline), arguments.stride)
    print({name: apart(slopes) for name, slopes in warps.items()}, flush=True)
    runs = {}
    plan: tuple[tuple[int, Seen], ...] = ((arguments.few, "frames"), (arguments.many, "latents"))
    for steps, seen in plan:
        name = f"{steps} steps, loss on {seen}"
        runs[name] = measure(arguments, pipeline, steps, seen)
        print(name, runs[name], apart(runs[name]), flush=True)
    write_results(arguments.page, "scripts/gradient_table.py", render_tables(arguments, runs, warps))


if __name__ == "__main__":
    with mistakes_in_one_line():
        main(tyro.cli(Arguments, description=__doc__))
