"""Seconds for 24 warps, compiled, against the same splat in numpy; and for the table of trust, against a plain loop.

    python scripts/benchmark_warp_speed.py [--release warp.json]

Both sides of every ratio are measured in this run, alternating, each by its fastest of `repeats`. `--release` prints
beside them the seconds a frame that the authors' release took elsewhere.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro

from nvs_jax.diffusion import karras_sigmas, reference_trust, trust_table
from nvs_jax.diffusion.reference_trust import V1, V2, V3, B, K
from nvs_jax.geometry import forward_warp, orbit, release_intrinsics
from nvs_jax.settings import WarpSettings

SPLATS = {"reference": WarpSettings.release(), "default (surface)": WarpSettings()}


@dataclass(frozen=True)
class Arguments:
    """What to time."""

    frames: int = 24
    height: int = 576
    width: int = 1024
    repeats: int = 3
    steps: int = 100
    """Of the table of trust."""
    release: Path | None = None
    """The release's record of warps: a JSON file of cases with "seconds"."""


def numpy_warp(picture: np.ndarray, depth: np.ndarray, intrinsics: np.ndarray, source: np.ndarray, target: np.ndarray):
    """One frame by the release's algorithm: vectorised numpy, float64, `np.add.at`."""
    height, width = depth.shape
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    pixels = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    relative = target @ np.linalg.inv(source)
    points = relative[:3, :3] @ (np.linalg.inv(intrinsics) @ pixels * depth.ravel()) + relative[:3, 3:]
    u, v, z = intrinsics @ points
    log_depth = np.log1p(np.clip(z, 0, 5000))
    near = np.exp(-50 * log_depth / log_depth.max())
    x, y = np.clip(u / z + 1, 0, width + 1), np.clip(v / z + 1, 0, height + 1)
    colours, weights = np.zeros((height + 2, width + 2, 3)), np.zeros((height + 2, width + 2))
    flat = picture.reshape(-1, 3)
    for column, row in product((np.floor(x), np.ceil(x)), (np.floor(y), np.ceil(y))):
        weight = (1 - np.abs(x - column)) * (1 - np.abs(y - row)) * near
        cell = row.astype(int), column.astype(int)
        np.add.at(weights, cell, weight)
        np.add.at(colours, cell, weight[:, None] * flat)
    colours, weights = colours[1:-1, 1:-1], weights[1:-1, 1:-1]
    return colours / np.maximum(weights, 1e-300)[..., None], (weights > 0) & (weights <= 0.6)


def looped_trust(sigmas: np.ndarray, distances: np.ndarray) -> tuple[tuple[float, float, float], list]:
    """The release's search as one writes it first: a triple, a step and a frame at a time."""
    sigmas, distances = sigmas / sigmas.max(), distances / distances.max()
    best, most, kept = None, -1, []
    for v1, v2, v3 in product(V1.tolist(), V2.tolist(), V3.tolist()):
        table = [[1.0 if d == 0 else _weight(v1, v3 * d - v2 * s) for d in distances.tolist()] for s in sigmas.tolist()]
        if any(w is None for row in table for w in row):
            continue
        count = sum(w is not None and w > 0.5 for row in table for w in row)
        if count > most:
            best, most, kept = (v1, v2, v3), count, table
    assert best is not None
    return best, kept


def _weight(v1: float, q: float) -> float | None:
    for v in (v1, -v1):
        square = (2 * K * v + K * q) ** 2 - 4 * K * v * (K * v + q * B)
        if square < 0:
            continue
        for root in (square**0.5, -(square**0.5)):
            lam = (-(2 * v + K * q) + root) / (2 * K * v)
            if (v > 0 and lam > 1) or (v < 0 and 0 < lam <= 1):
                return lam / (1 + lam)
    return None


def seconds(function: Callable[[], Any], repeats: int) -> float:
    """The fastest of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(function())
        times.append(time.perf_counter() - start)
    return min(times)


def scene(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """A picture of noise before a wavy wall with boxes standing out."""
    y, x = np.mgrid[:height, :width]
    boxes = (x * 8 // width + y * 6 // height) % 3 == 0
    depth = 40 + 20 * np.sin(9 * x / width) * np.cos(7 * y / height) - 15 * boxes
    return np.random.default_rng(0).random((height, width, 3)), depth


def time_warps(arguments: Arguments) -> None:
    """Print a line for each splat."""
    picture, depth = scene(arguments.height, arguments.width)
    intrinsics, path = release_intrinsics(arguments.height, arguments.width), orbit(60, 70, 1.0, arguments.frames + 1)
    given = jnp.asarray(picture, jnp.float32), jnp.asarray(depth, jnp.float32), intrinsics, path[0]
    K64, source = (np.asarray(array, np.float64) for array in (intrinsics, path[0]))
    targets = np.asarray(path[1:], np.float64)

    for settings in SPLATS.values():
        jax.block_until_ready(forward_warp(*given, path[1:], settings))
    ours, theirs = dict.fromkeys(SPLATS, np.inf), np.inf
    for _ in range(arguments.repeats):
        theirs = min(
            theirs, seconds(lambda: [numpy_warp(picture, depth, K64, source, target) for target in targets], 1)
        )
        for name, settings in SPLATS.items():
            ours[name] = min(ours[name], seconds(lambda s=settings: forward_warp(*given, path[1:], s), 2))
    print(f"{arguments.frames} warps at {arguments.height}x{arguments.width}: numpy's add.at {theirs:.2f} s")
    for name, own in ours.items():
        print(f"  {name}: {own:.3f} s, {1000 * own / arguments.frames:.1f} ms a frame, {theirs / own:.1f} times faster")
    if arguments.release is not None:
        record = json.loads(arguments.release.read_text())
        taken = [case["seconds"] for case in record.values()]
        print(f"  the release, as recorded: {min(taken):.2f} to {max(taken):.2f} s a frame")


def time_trust(arguments: Arguments) -> None:
    """Print the seconds of the search and of the closed form."""
    sigmas = np.asarray(karras_sigmas(arguments.steps), np.float64)[:-1]
    distances = np.arange(25) / 24
    start = time.perf_counter()
    best, table = looped_trust(sigmas, distances)
    looped = time.perf_counter() - start
    found = reference_trust(sigmas, distances)
    assert found.coefficients == best and np.allclose(found.table, np.array(table), rtol=0, atol=1e-9)
    searched = seconds(lambda: reference_trust(sigmas, distances), 10)
    closed = jax.jit(trust_table)
    given = jnp.asarray(sigmas, jnp.float32), jnp.asarray(distances, jnp.float32)
    jax.block_until_ready(closed(*given))
    print(f"trust of {arguments.steps} steps: a plain loop over {len(V1) * len(V2) * len(V3)} triples {looped:.1f} s")
    print(f"  search: {1000 * searched:.1f} ms, {looped / searched:.0f} times faster, same triple, table to 1e-9")
    print(f"  closed form: {1e6 * seconds(lambda: closed(*given), 50):.0f} us")


if __name__ == "__main__":
    arguments = tyro.cli(Arguments, description=__doc__)
    time_warps(arguments)
    time_trust(arguments)
