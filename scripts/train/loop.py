"""A training run that can be killed at any moment: the state is a pytree, a step is a pure function of it.

Batches and noise are drawn from `fold_in(key, step)`, so that a run that was broken off and resumed goes through the
same losses as one that was not.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
import optax
import optax.contrib
import orbax.checkpoint as ocp
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float, Int, PRNGKeyArray
from tqdm import tqdm

from nvs_jax.media import atomic_path
from nvs_jax.models.weights import Weights
from nvs_jax.pytree import pytree
from scripts.train.settings import OptimizerSettings

Loss = Callable[[Weights, Any, PRNGKeyArray, int], Float[Array, ""]]
"""Of the weights, the data (whatever it is), a key and a size: it draws a batch of that size from the data."""


@pytree
class TrainState:
    """Everything a run needs to go on.

    Attributes:
        step: how many steps have been made.
        weights: what is trained.
        average: running average of the weights.
        moments: the optimizer's.
    """

    step: Int[Array, ""]
    weights: Weights
    average: Weights
    moments: Any


def make_optimizer(settings: OptimizerSettings) -> optax.GradientTransformation:
    """Muon for matrices and kernels, Adam for the rest; the rate rises, stays, and falls at the end.

    The step of a matrix is scaled to the size Adam's would have, so that one rate serves both.
    """
    peak, fall = settings.learning_rate, settings.cool_down
    rise_and_stay = optax.linear_schedule(0.0, peak, settings.warm_up)
    rate = rise_and_stay
    if fall:
        rate = optax.join_schedules(
            [rise_and_stay, optax.linear_schedule(peak, 0.02 * peak, fall)], [settings.steps - fall]
        )
    muon = optax.contrib.muon(
        rate, adam_b2=0.99, consistent_rms=0.2, muon_weight_dimension_numbers=_matrices, mu_dtype=jnp.float32
    )
    return optax.chain(optax.clip_by_global_norm(settings.clip_norm), muon)


def _matrices(weights: Weights) -> dict[str, Any]:
    """How each weight is a matrix from all its other axes to its last, or None: vectors, and pictures in and out."""
    at_the_ends = ("conv_in", "conv_out", "time_conv_out")
    return {
        name: None
        if getattr(value, "ndim", 0) < 2 or any(part in name.split(".") for part in at_the_ends)
        else optax.contrib.MuonDimensionNumbers(tuple(range(value.ndim - 1)), value.ndim - 1)
        for name, value in weights.items()
    }


def all_devices() -> Mesh:
    """Every device at hand along one axis, "batch"."""
    return jax.make_mesh((jax.device_count(),), ("batch",), axis_types=(AxisType.Auto,))


def spread(batch: Any) -> Any:
    """Inside jit: share a batch out among all devices, where they divide it."""
    mesh = all_devices()

    def share(array: Array) -> Array:
        divides = array.shape[0] % mesh.size == 0
        return jax.lax.with_sharding_constraint(array, NamedSharding(mesh, P("batch"))) if divides else array

    return jax.tree.map(share, batch)


def first_state(weights: Weights, settings: OptimizerSettings) -> TrainState:
    """The state before any step."""
    average = jax.tree.map(jnp.copy, weights)
    return TrainState(jnp.zeros((), jnp.int32), weights, average, make_optimizer(settings).init(weights))


def make_step(
    loss: Loss, settings: OptimizerSettings
) -> Callable[[TrainState, Any], tuple[TrainState, Float[Array, ""]]]:
    """The jitted step: one batch, one gradient."""
    optimizer = make_optimizer(settings)

    @jax.jit
    def step(state: TrainState, data: Any) -> tuple[TrainState, Float[Array, ""]]:
        key = jax.random.fold_in(jax.random.key(settings.seed), state.step)
        value, gradient = jax.value_and_grad(loss)(state.weights, data, key, settings.batch)
        updates, moments = optimizer.update(gradient, state.moments, state.weights)
        weights: Any = optax.apply_updates(state.weights, updates)
        # An average of few steps must not remember the random start.
        decay = jnp.minimum(settings.average, (1.0 + state.step) / (10.0 + state.step))
        average: Any = optax.incremental_update(weights, state.average, 1 - decay)
        return TrainState(state.step + 1, weights, average, moments), value

    return step


def train(
    folder: Path,
    state: TrainState,
    loss: Loss,
    data: Any,
    held_out: Any,
    settings: OptimizerSettings,
    *,
    save_every: int,
) -> Weights:
    """Train to `settings.steps`, from the last checkpoint in `folder` if there is one.

    Writes checkpoints, losses.csv (step, loss, seconds, loss on the held-out data or nothing) and losses.png.

    Args:
        folder: of this run.
        state: to begin with.
        loss: of a batch.
        data: handed to `loss`.
        held_out: handed to `loss`, now and then, with the averaged weights and always the same key.
        settings: of the optimizer.
        save_every: steps between checkpoints.

    Returns:
        The averaged weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    step, measure = make_step(loss, settings), jax.jit(loss, static_argnums=3)
    everywhere = NamedSharding(all_devices(), P())
    state, data, held_out = jax.device_put((state, data, held_out), everywhere)
    log = _Log(folder / "losses.csv")
    with ocp.CheckpointManager(
        (folder / "checkpoints").resolve(), options=ocp.CheckpointManagerOptions(max_to_keep=2, create=True)
    ) as manager:
        if manager.latest_step() is not None:
            abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
            state = manager.restore(manager.latest_step(), args=ocp.args.StandardRestore(abstract))
        log.cut(int(state.step))
        started = time.monotonic()
        for done in tqdm(range(int(state.step) + 1, settings.steps + 1), desc=folder.name, mininterval=5):
            state, value = step(state, data)
            save = done % save_every == 0 or done == settings.steps
            measured = measure(state.average, held_out, jax.random.key(0), settings.held_out_batch) if save else None
            log.add(done, float(value), time.monotonic() - started, measured)
            if save:
                manager.save(done, args=ocp.args.StandardSave(state))
                manager.wait_until_finished()
                plot_losses(folder / "losses.png", log.read())
    return state.average


class _Log:
    """A CSV that never says more than the checkpoint it will be resumed from, once `cut`."""

    def __init__(self, path: Path):
        self.path = path

    def cut(self, step: int) -> None:
        """Forget what came after `step`."""
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        kept = [line for line in lines if line.count(",") == 3 and int(line.split(",")[0]) <= step]
        with atomic_path(self.path) as partial:
            partial.write_text("".join(f"{line}\n" for line in kept))

    def add(self, step: int, loss: float, seconds: float, held_out: Any) -> None:
        with self.path.open("a") as file:
            file.write(f"{step},{loss:.8g},{seconds:.2f},{'' if held_out is None else f'{float(held_out):.8g}'}\n")

    def read(self) -> Float[np.ndarray, "n 4"]:
        rows = [line.split(",") for line in self.path.read_text().splitlines()]
        return np.array([[float(value) if value else np.nan for value in row] for row in rows]).reshape(-1, 4)


def plot_losses(path: Path, log: Float[np.ndarray, "n 4"]) -> None:
    """The loss of every step, smoothed, and that on the held-out clips."""
    matplotlib.use("Agg")
    from matplotlib import pyplot

    steps, losses, held_out = log[:, 0], log[:, 1], log[:, 3]
    width = max(1, len(losses) // 50)
    smooth = np.convolve(losses, np.full(width, 1 / width), mode="valid")
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.semilogy(steps[width - 1 :], smooth, label=f"training, mean of {width} steps")
    measured = np.isfinite(held_out)
    axes.semilogy(steps[measured], held_out[measured], "o-", label="held-out clips")
    axes.set(xlabel="step", ylabel="loss")
    axes.legend()
    with atomic_path(path) as partial:
        figure.savefig(partial, format="png", dpi=100)
    pyplot.close(figure)
