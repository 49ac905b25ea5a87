"""A bench small enough for a test: the tiny model on two short paths."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp

from nvs_jax.commands.evaluate import open_bench
from nvs_jax.diffusion.problem import Problem
from nvs_jax.evaluation.measure import Bench
from nvs_jax.settings.evaluation import BenchmarkSettings
from tests.diffusion.toys import GaussianDenoiser
from tests.tiny import FRAMES, HEIGHT, WIDTH, tiny_pipeline

SETTINGS = BenchmarkSettings(size=(HEIGHT, WIDTH), frames=FRAMES, samples=1)
SIZE = ("--size", str(HEIGHT), str(WIDTH), "--frames", str(FRAMES), "--samples", "1")


def tiny_bench(folder: Path, seed: int = 0) -> Bench:
    return open_bench(tiny_pipeline(seed), SETTINGS, folder)


def linear(problem: Problem) -> Problem:
    """The problem with a denoiser that compiles in no time in place of the network."""
    return replace(problem, denoiser=GaussianDenoiser(jnp.full(problem.noise.shape, 0.5)))
