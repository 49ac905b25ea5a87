"""A stage of `scripts.train` on a plane, as a program that a test can kill: `python -m ... FOLDER SECONDS`."""

import sys
import time
from pathlib import Path

import jax
import jax.numpy as jnp

from nvs_jax.runs.stopping import StopRequest
from scripts.train.clock import Span, since
from scripts.train.losses import LossLog
from scripts.train.pool import Pool, whole
from scripts.train.settings import MinutesSettings, OptimizerSettings
from scripts.train.stage import Run, Stage
from scripts.train.within import train_within

SETTINGS = MinutesSettings(first_batch=4, largest_batch=4, steps=5, kept=8, first=4, fresh=2, save_seconds=0.2)
TRUTH = jnp.arange(12.0).reshape(3, 4) / 6
WEIGHTS = {"one.weight": jnp.zeros((3, 4)), "two.weight": jnp.zeros((3, 4)), "bias": jnp.zeros(4)}


def points(numbers, fixed):
    return jax.vmap(lambda number: jax.random.normal(jax.random.fold_in(jax.random.key(0), number), (20, 3)))(numbers)


def loss(weights, pool: Pool, key, size: int):
    x = pool.kept[jax.random.randint(key, (size,), 0, pool.filled)].reshape(-1, 3)
    guess = x.astype(weights["bias"].dtype) @ (weights["one.weight"] + weights["two.weight"]) + weights["bias"]
    return jnp.mean((guess.astype(jnp.float32) - x @ TRUTH - 1) ** 2)


def toy_stage(folder: Path, end: float, start: float = 0.0, batch: int | None = None) -> Stage:
    return Stage(
        folder=folder,
        loss=loss,
        make=points,
        fixed=(),
        held_out=lambda: whole(points(jnp.arange(100, 108), ())),
        optimizer=OptimizerSettings(steps=0, batch=0, learning_rate=0.02, warm_up=2, held_out_batch=8, average=0.9),
        batch=batch,
        span=Span(start, end),
    )


def main(folder: str, seconds: str) -> None:
    used = LossLog(Path(folder) / "losses.csv").seconds()
    run = Run(SETTINGS, since(used, time.monotonic), StopRequest())
    train_within(toy_stage(Path(folder), float(seconds)), WEIGHTS, run, lambda _: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
