"""Which warp is best: every splat on rendered scenes, against what the target camera really sees.

    python scripts/benchmark_warp.py --out docs/images/warp

prints a table for each kind of depth and writes OUT.json and OUT.png. Scenes, angles and errors were fixed before the
first run; the warp was designed on the scenes 0 to 7, which are not among them.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import tyro
from tqdm import tqdm

from nvs_jax.geometry import Warp, forward_warp, orbit
from nvs_jax.scenes import SceneSettings, View, default_view, random_scene, render_path
from nvs_jax.settings import WarpSettings
from scripts.warp_scores import WarpScores, blurred_edges, warp_scores, wrong_scale

matplotlib.use("agg")
from matplotlib import pyplot as plt

OPTIONS = {
    "reference": WarpSettings.release(),
    "bilinear": WarpSettings(splat="bilinear", max_tilt=None, dilation=5),
    "bilinear, cut": WarpSettings(splat="bilinear", dilation=5),
    "zbuffer": WarpSettings(splat="zbuffer", max_tilt=None, dilation=5),
    "zbuffer, cut": WarpSettings(splat="zbuffer", dilation=5),
    "surface, not cut": WarpSettings(splat="surface", max_tilt=None),
    "surface (default)": WarpSettings(),
}
SHOWN = ("reference", "zbuffer, cut", "surface (default)")


@dataclass(frozen=True)
class Arguments:
    """What to measure on."""

    out: Path = Path("out/warp")
    """Results go to OUT.json and OUT.png."""
    scenes: int = 32
    """How many, from `first_scene` on."""
    first_scene: int = 10_000
    """Seed of the first scene."""
    angles: tuple[int, ...] = (5, 10, 20, 40)
    """Degrees of an orbit about the scene's middle; whole."""
    height: int = 288
    """Rows."""
    width: int = 512
    """Columns."""
    samples: int = 3
    """Rays along each side of a pixel."""
    pictured: int = 10_003
    """The scene shown in OUT.png."""


def depth_kinds(width: int) -> dict[str, Callable]:
    """Depth as it is, and with an estimator's errors."""
    return {
        "true depth": lambda depth: depth,
        "blurred edges": lambda depth: blurred_edges(depth, max(1, round(width / 128))),
        "scale 1.05, shift 0.1": lambda depth: wrong_scale(depth, 1.05, 0.1),
    }


def measure(view: View, poses: jax.Array, intrinsics: jax.Array, depth: jax.Array) -> dict[str, dict[str, WarpScores]]:
    """Scores of all options on one scene: over the valid pixels, and over those outside of dilated holes."""
    warps: dict[str, Warp] = {
        name: forward_warp(view.picture[0], depth, intrinsics, poses[0], poses[1:], settings)
        for name, settings in OPTIONS.items()
    }
    scores: dict[str, dict[str, WarpScores]] = {"valid": {}, "used": {}}
    for kind, by_option in scores.items():
        known = {name: warp.valid if kind == "valid" else ~warp.hole for name, warp in warps.items()}
        shared = jnp.stack(list(known.values())).all(0)
        for name, warp in warps.items():
            by_option[name] = warp_scores(warp.pictures, view.picture[1:], known[name], shared)
    return scores


def run(arguments: Arguments) -> dict:
    """Mean over the scenes: depth kind, option, "valid" or "used", measure, one number an angle."""
    _, intrinsics = default_view(arguments.height, arguments.width)
    poses = target_poses(arguments)
    kinds = depth_kinds(arguments.width)
    collected: dict = {kind: [] for kind in kinds}
    for seed in tqdm(range(arguments.first_scene, arguments.first_scene + arguments.scenes)):
        view = render_scene(seed, poses, intrinsics, arguments)
        for kind, degrade in kinds.items():
            collected[kind].append(jax.device_get(measure(view, poses, intrinsics, degrade(view.depth[0]))))
    return {kind: _means(scenes) for kind, scenes in collected.items()}


def _means(scenes: Sequence[dict]) -> dict:
    mean = jax.tree.map(lambda *values: np.nanmean(np.stack(values), 0).tolist(), *scenes)
    names = [field.name for field in dataclasses.fields(WarpScores)]
    return {
        option: {over: {name: getattr(mean[over][option], name) for name in names} for over in mean}
        for option in OPTIONS
    }


def target_poses(arguments: Arguments) -> jax.Array:
    """The given view's pose, then one an angle."""
    radius = SceneSettings().orbit_radius
    return orbit(radius, radius, 1.0, max(arguments.angles) + 1)[jnp.array((0, *arguments.angles))]


def render_scene(seed: int, poses: jax.Array, intrinsics: jax.Array, arguments: Arguments) -> View:
    """Given view and truth, without highlights and reflections: those move by no one's warp."""
    size = arguments.height, arguments.width
    return render_path(random_scene(seed), poses, intrinsics, *size, samples=arguments.samples)


def table(results: dict, angles: Sequence[int]) -> str:
    """One option a row; each cell has a number for every angle."""
    columns = {
        "PSNR, valid": ("valid", "psnr", 1, 1),
        "PSNR, shared": ("valid", "shared_psnr", 1, 1),
        "holes %": ("valid", "holes", 100, 1),
        "wrong %": ("valid", "wrong", 100, 1),
        "holes %, dilated": ("used", "holes", 100, 1),
        "wrong %, dilated": ("used", "wrong", 100, 1),
        "right %, dilated": ("used", "right", 100, 1),
    }
    header = f"| at {', '.join(map(str, angles))} degrees | " + " | ".join(columns) + " |"
    lines = [header, "|---" * (len(columns) + 1) + "|"]
    for option, scores in results.items():
        cells = (
            " ".join(f"{factor * value:.{digits}f}" for value in scores[over][name])
            for over, name, factor, digits in columns.values()
        )
        lines.append(f"| {option} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def picture(results: dict, arguments: Arguments, path: Path) -> None:
    """A scene warped by some options, and the curves."""
    poses, (_, intrinsics) = target_poses(arguments), default_view(arguments.height, arguments.width)
    view = render_scene(arguments.pictured, poses, intrinsics, arguments)
    which = len(arguments.angles) // 2
    shown = {"truth": view.picture[1 + which]}
    for name in SHOWN:
        warp = forward_warp(view.picture[0], view.depth[0], intrinsics, poses[0], poses[1:], OPTIONS[name])
        shown[name] = jnp.where(warp.valid[which][..., None], warp.pictures[which], 0)
    figure, axes = plt.subplots(2, len(shown), figsize=(12, 4.6), layout="constrained")
    for axis, (name, image) in zip(axes[0], shown.items(), strict=True):
        axis.imshow(np.asarray(image), interpolation="nearest")
        axis.set_title(name, fontsize=9)
        axis.axis("off")
    curves = [(kind, name) for kind in list(results)[:2] for name in ("shared_psnr", "wrong")]
    for axis, (kind, name) in zip(axes[1], curves, strict=True):
        for option in SHOWN:
            values = np.array(results[kind][option]["valid"][name])
            axis.plot(arguments.angles, 100 * values if name == "wrong" else values, "o-", ms=3, label=option)
        axis.set_title(f"{'wrong pixels, %' if name == 'wrong' else 'PSNR on shared pixels, dB'}: {kind}", fontsize=8)
        axis.set_xlabel("degrees", fontsize=8)
        axis.set_xticks(arguments.angles)
        axis.tick_params(labelsize=7)
    axes[1, 0].legend(fontsize=7)
    figure.savefig(path, dpi=80)


def main() -> None:
    """Measure, print, write."""
    arguments = tyro.cli(Arguments, description=__doc__)
    results = run(arguments)
    for kind, by_option in results.items():
        print(f"\n{kind}\n\n{table(by_option, arguments.angles)}")
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    settings = {key: str(value) if isinstance(value, Path) else value for key, value in vars(arguments).items()}
    settings.pop("out")
    record = {"arguments": settings, "results": _rounded(results)}
    arguments.out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    picture(results, arguments, arguments.out.with_suffix(".png"))


def _rounded(tree: dict) -> dict:
    return jax.tree.map(lambda value: round(value, 5), tree)


if __name__ == "__main__":
    main()
