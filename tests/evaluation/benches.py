"""A bench small enough for a test: the tiny model on two short paths."""

from pathlib import Path

from nvs_jax.evaluation.measure import Bench
from nvs_jax.evaluation.run import open_bench
from nvs_jax.evaluation.settings import BenchmarkSettings
from tests.tiny import FRAMES, HEIGHT, WIDTH, tiny_pipeline

SETTINGS = BenchmarkSettings(size=(HEIGHT, WIDTH), frames=FRAMES, samples=1)
SIZE = ("--size", str(HEIGHT), str(WIDTH), "--frames", str(FRAMES), "--samples", "1")


def tiny_bench(folder: Path, seed: int = 0) -> Bench:
    return open_bench(tiny_pipeline(seed), SETTINGS, folder)
