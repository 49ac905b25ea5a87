"""What is trained within a span of time, and its program: render new clips, make many steps with those at hand."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from nvs_jax.models.weights import Weights
from nvs_jax.runs.stopping import StopRequest
from scripts.train.clock import Clock, Span
from scripts.train.loop import TrainState, updated
from scripts.train.optimizer import learning_rate, make_optimizer, stacked_matrices_of
from scripts.train.packing import Packing
from scripts.train.pool import Make, Pool, with_new
from scripts.train.settings import MinutesSettings, OptimizerSettings

PoolLoss = Callable[[Weights, Pool, PRNGKeyArray, int], Float[Array, ""]]
"""Of weights in the dtype to compute in, clips, a key and a size: it draws a batch of that size. float32."""

Program = Callable[[TrainState, Pool, Any, Float[Array, ""]], tuple[TrainState, Pool, Float[Array, "s"]]]


@dataclass(frozen=True)
class Stage:
    """What is trained, and when.

    Attributes:
        folder: of checkpoints, losses.csv, losses.png and batch.json.
        loss: of a batch.
        make: clips by their numbers.
        fixed: what `make` needs besides.
        held_out: makes the clips to measure the loss on.
        optimizer: its settings; steps and batch are not used.
        batch: None: found by trying.
        span: its time.
    """

    folder: Path
    loss: PoolLoss
    make: Make
    fixed: Any
    held_out: Callable[[], Pool]
    optimizer: OptimizerSettings
    batch: int | None
    span: Span


@dataclass(frozen=True)
class Run:
    """What all stages share.

    Attributes:
        settings: of training for minutes.
        clock: seconds of the whole training.
        stop: whether somebody asked to stop.
    """

    settings: MinutesSettings
    clock: Clock
    stop: StopRequest

    @property
    def dtype(self) -> Any:
        """What networks compute in."""
        return jnp.dtype(self.settings.dtype or ("float32" if jax.default_backend() == "cpu" else "bfloat16"))


def make_program(stage: Stage, packing: Packing, run: Run, batch: int) -> Program:
    """Render new clips, make the steps; jitted, for abstract arguments too. State and clips are donated."""
    own = stage.optimizer
    optimizer = _optimizer(own)

    def one_step(pool: Pool, rate: Array, state: TrainState) -> tuple[TrainState, Array]:
        key = jax.random.fold_in(jax.random.key(own.seed), state.step)

        def loss(packed: Weights) -> Array:
            return stage.loss(cast_and_unpack(packing, packed, run.dtype), pool, key, batch)

        value, gradient = jax.value_and_grad(loss)(state.weights)
        return updated(state, gradient, optimizer, own, rate), value

    def program(state: TrainState, pool: Pool, fixed: Any, rate: Array) -> tuple[TrainState, Pool, Array]:
        pool = with_new(pool, stage.make, fixed, run.settings.fresh)
        state, losses = jax.lax.scan(
            lambda state, _: one_step(pool, rate, state), state, None, length=run.settings.steps
        )
        return state, pool, losses

    return jax.jit(program, donate_argnums=(0, 1))


def first_packed_state(packed: Weights, settings: OptimizerSettings) -> TrainState:
    """The state before any step."""
    moments = _optimizer(settings).init(packed)
    return TrainState(jnp.zeros((), jnp.int32), packed, jax.tree.map(jnp.copy, packed), moments)


def _optimizer(settings: OptimizerSettings) -> Any:
    """Its rate rises and stays: how it falls depends on the time."""
    rising = OptimizerSettings(0, 0, settings.learning_rate, warm_up=settings.warm_up)
    return make_optimizer(settings, learning_rate(rising), stacked_matrices_of)


def cast_and_unpack(packing: Packing, packed: Weights, dtype: Any) -> Weights:
    """The weights to compute with; cast while they are few arrays."""
    return packing.unpack({name: value.astype(dtype) for name, value in packed.items()})
