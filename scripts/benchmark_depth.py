"""Milliseconds that Depth Anything V2 takes for a picture, beside transformers' on the same machine.

    python scripts/benchmark_depth.py [--model small] [--size 518 518] [--repeats 5]

Random weights, the same for both; the networks alone, in float32, compiled before the clock starts. They take turns, so
that whatever else the machine does troubles both alike.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from nvs_jax.models.depth.config import parse_depth_config
from nvs_jax.models.depth.network import DepthAnything
from nvs_jax.models.weights import bind, random_weights

CONFIGS = Path(__file__).parents[1] / "configs" / "models" / "depth_anything_v2"


def ours(model: str, size: tuple[int, int]) -> Callable[[], object]:
    """One picture through this project's network."""
    path = CONFIGS / f"{model}.json"
    network = DepthAnything(parse_depth_config(json.loads(path.read_text()), str(path)))
    weights = random_weights(network, 0)
    pixels = jnp.asarray(np.random.default_rng(0).standard_normal((1, *size, 3), np.float32))
    run = jax.jit(lambda weights, pixels: bind(network, weights)(pixels))
    return lambda: run(weights, pixels).block_until_ready()


def theirs(model: str, size: tuple[int, int]) -> Callable[[], object]:
    """One picture through transformers' network."""
    import torch
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation

    config = DepthAnythingConfig.from_json_file(CONFIGS / f"{model}.json")
    network = DepthAnythingForDepthEstimation(config).eval().requires_grad_(False)
    pixels = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))
    return partial(network, pixels)


def seconds(run: Callable[[], object]) -> tuple[float, float]:
    """How long one call takes, and how long processors worked on it: what a busy machine changes less."""
    start, worked = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - start, time.process_time() - worked


def main() -> None:
    """Time both in turn, and print the median and the best of each, and the processor time."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", choices=("small", "base", "large"), default="small")
    parser.add_argument("--size", type=int, nargs=2, default=(518, 518), help="rows and columns, multiples of 14")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    runs = {"nvs_jax": ours(options.model, options.size), "transformers": theirs(options.model, options.size)}
    for run in runs.values():
        run()
    times = np.array([[seconds(run) for run in runs.values()] for _ in range(options.repeats)]) * 1000
    print(f"Depth Anything V2 {options.model}, {options.size[0]}x{options.size[1]}, milliseconds a picture")
    for name, (taken, worked) in zip(runs, times.transpose(1, 2, 0), strict=True):
        figures = {"median": np.median(taken), "best": taken.min(), "processor time": np.median(worked)}
        print(f"{name:14}" + "   ".join(f"{label} {figure:5.0f}" for label, figure in figures.items()))


if __name__ == "__main__":
    main()
