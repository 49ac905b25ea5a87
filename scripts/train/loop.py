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
import optax
import orbax.checkpoint as ocp
from jax.sharding import AxisType, Mesh, NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array, Float, Int, PRNGKeyArray
from tqdm import tqdm

from nvs_jax.models.weights import Weights
from nvs_jax.pytree import pytree
from scripts.train.losses import LossLog, plot_losses
from scripts.train.optimizer import learning_rate, make_optimizer, matrices_of
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


def _optimizer(settings: OptimizerSettings) -> optax.GradientTransformation:
    return make_optimizer(settings, learning_rate(settings), matrices_of)


def first_state(weights: Weights, settings: OptimizerSettings) -> TrainState:
    """The state before any step."""
    average = jax.tree.map(jnp.copy, weights)
    return TrainState(jnp.zeros((), jnp.int32), weights, average, _optimizer(settings).init(weights))


def updated(
    state: TrainState,
    gradient: Weights,
    optimizer: optax.GradientTransformation,
    settings: OptimizerSettings,
    rate: Float[Array, ""] | None = None,
) -> TrainState:
    """The state after a step; `rate` is a factor on the optimizer's, if not None."""
    updates, moments = optimizer.update(gradient, state.moments, state.weights)
    if rate is not None:
        updates = jax.tree.map(lambda update: rate * update, updates)
    weights: Any = optax.apply_updates(state.weights, updates)
    # An average of few steps must not remember the random start.
    decay = jnp.minimum(settings.average, (1.0 + state.step) / (10.0 + state.step))
    average: Any = optax.incremental_update(weights, state.average, 1 - decay)
    return TrainState(state.step + 1, weights, average, moments)


def make_step(
    loss: Loss, settings: OptimizerSettings
) -> Callable[[TrainState, Any], tuple[TrainState, Float[Array, ""]]]:
    """The jitted step: one batch, one gradient."""
    optimizer = _optimizer(settings)

    @jax.jit
    def step(state: TrainState, data: Any) -> tuple[TrainState, Float[Array, ""]]:
        key = jax.random.fold_in(jax.random.key(settings.seed), state.step)
        value, gradient = jax.value_and_grad(loss)(state.weights, data, key, settings.batch)
        return updated(state, gradient, optimizer, settings), value

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
    log = LossLog(folder / "losses.csv")
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
