"""A run of `scripts.train.loop` on a straight line, as a program that a test can kill: `python -m ... FOLDER STEPS`."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp

from scripts.train.loop import first_state, train
from scripts.train.settings import OptimizerSettings


def main(folder: str, steps: str) -> None:
    settings = OptimizerSettings(steps=int(steps), batch=4, learning_rate=0.05, warm_up=5, held_out_batch=8)

    def loss(weights, data, key, size):
        x = data[jax.random.randint(key, (size,), 0, len(data))]
        return jnp.mean((weights["slope"] * x + weights["offset"] - (3 * x - 1)) ** 2)

    weights = {"slope": jnp.zeros(()), "offset": jnp.zeros(())}
    data = jnp.linspace(-1, 1, 50)
    train(Path(folder), first_state(weights, settings), loss, data, data[::5], settings, save_every=10)


if __name__ == "__main__":
    main(*sys.argv[1:])
