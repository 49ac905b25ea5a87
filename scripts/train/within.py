"""Train a network within a span of time; no step waits for the host.

While a program runs, the host writes down the losses of the one before.
"""

import json
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from jax.sharding import NamedSharding
from jax.sharding import PartitionSpec as P
from jaxtyping import Array

from nvs_jax.disk import atomic_path
from nvs_jax.errors import InputError
from nvs_jax.models.weights import Weights
from scripts.train.batches import next_batch
from scripts.train.loop import TrainState, all_devices
from scripts.train.losses import LossLog, plot_losses
from scripts.train.packing import Packing, packing_of
from scripts.train.pool import empty_pool, with_new
from scripts.train.stage import Program, Run, Stage, cast_and_unpack, first_packed_state, make_program


class _Training:
    """A stage under way: the state and the clips, which every program replaces, and losses not yet written down."""

    def __init__(self, stage: Stage, run: Run, packing: Packing, state: TrainState):
        self.stage, self.run, self.packing = stage, run, packing
        self.everywhere = NamedSharding(all_devices(), P())
        self.fixed, self.held_out, self.state = jax.device_put((stage.fixed, stage.held_out(), state), self.everywhere)
        self.log = LossLog(stage.folder / "losses.csv")
        self.log.cut(self.step)
        settings = run.settings
        made = self.step and settings.first + self.step // settings.steps * settings.fresh
        pool = jax.device_put(empty_pool(stage.make, self.fixed, settings.kept, made), self.everywhere)
        self.pool = jax.jit(lambda pool, fixed: with_new(pool, stage.make, fixed, settings.first), donate_argnums=0)(
            pool, self.fixed
        )
        self.measure = jax.jit(
            lambda packed, held_out, key: stage.loss(
                cast_and_unpack(packing, packed, run.dtype), held_out, key, stage.optimizer.held_out_batch
            )
        )
        self.programs: dict[int, Program] = {}
        self.pending: list[tuple[int, int, Array]] = []
        self.seconds, self.finished, self.saved, self.said = 0.0, run.clock(), run.clock(), -math.inf

    @property
    def step(self) -> int:
        """How many steps have been made; waits for them."""
        return int(self.state.step)

    @property
    def over(self) -> bool:
        """Whether another program, begun now, might end too late, or nobody wants it."""
        return self.run.stop.wanted or self.run.clock() + (1 + len(self.pending)) * self.seconds >= self.stage.span.end

    def compile(self, batch: int) -> bool:
        """Compile the program of a batch; whether it fits the memory."""
        if batch not in self.programs:
            program: Any = make_program(self.stage, self.packing, self.run, batch)
            compiled = program.lower(self.state, self.pool, self.fixed, jnp.ones(())).compile()
            analysis, limit = compiled.memory_analysis(), _memory()
            if analysis is not None and limit is not None:
                taken = analysis.temp_size_in_bytes + analysis.argument_size_in_bytes
                if taken > self.run.settings.memory * limit:
                    return False
            self.programs[batch] = compiled
        return True

    def begin(self, batch: int) -> None:
        """Let a program run; does not wait."""
        rate = self.stage.span.rate(self.run.clock(), self.run.settings.cool_down)
        self.state, self.pool, losses = self.programs[batch](self.state, self.pool, self.fixed, jnp.float32(rate))
        self.pending.append((batch, len(losses), losses))

    def finish(self) -> float:
        """Wait for the program begun first, write its losses down; its examples a second."""
        batch, steps, losses = self.pending.pop(0)
        values = jax.device_get(losses)
        now = self.run.clock()
        self.seconds, self.finished = now - self.finished, now
        first = self.log.last + 1
        for index, value in enumerate(values):
            self.log.add(first + index, float(value), now, None)
        speed = steps / max(self.seconds, 1e-9)
        if now - self.said >= 10:
            self.said = now
            print(
                f"{self.stage.folder.name}: {now:.0f} of {self.stage.span.end:.0f} s, step {self.log.last}, "
                f"{speed:.1f} steps/s of {batch}, loss {values.mean():.4f}",
                flush=True,
            )
        return batch * speed

    def measured(self) -> float:
        """Measure the averaged weights on the held-out clips, and write that down."""
        held_out = float(self.measure(self.state.average, self.held_out, jax.random.key(0)))
        self.log.add_held_out(held_out, self.run.clock())
        return held_out

    def average(self) -> Weights:
        """The averaged weights, float32."""
        return jax.jit(self.packing.unpack)(self.state.average)


def _memory() -> int | None:
    """Bytes of a device; None where it does not say."""
    statistics = jax.local_devices()[0].memory_stats()
    return statistics.get("bytes_limit") if statistics else None


def train_within(stage: Stage, first: Weights, run: Run, keep: Callable[[Weights], None]) -> Weights:
    """Train until the stage's time is over, from its last checkpoint if there is one.

    Args:
        stage: what is trained.
        first: the weights to begin with.
        run: clock and settings.
        keep: called with the averaged weights at every checkpoint.

    Returns:
        The averaged weights.
    """
    stage.folder.mkdir(parents=True, exist_ok=True)
    packing = packing_of(first)
    state = jax.jit(lambda weights: first_packed_state(packing.pack(weights), stage.optimizer))(first)
    options = ocp.CheckpointManagerOptions(max_to_keep=2, create=True)
    with ocp.CheckpointManager((stage.folder / "checkpoints").resolve(), options=options) as manager:
        if manager.latest_step() is not None:
            abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, state)
            state = manager.restore(manager.latest_step(), args=ocp.args.StandardRestore(abstract))
        if run.stop.wanted or run.clock() >= stage.span.end:
            return jax.jit(packing.unpack)(state.average)
        training = _Training(stage, run, packing, state)
        begun = training.step

        def save() -> None:
            while training.pending:
                training.finish()
            held_out = training.measured()
            if training.step != manager.latest_step():
                manager.save(training.step, args=ocp.args.StandardSave(training.state))
                manager.wait_until_finished()  # the next program takes the state's memory
            plot_losses(stage.folder / "losses.png", training.log.read())
            keep(training.average())
            print(f"{stage.folder.name}: saved step {training.step}, held-out loss {held_out:.4f}", flush=True)
            training.saved = training.finished = run.clock()

        training.measured()  # compiled now rather than when the time is over
        batch = _settled_batch(training)
        while not training.over:
            training.begin(batch)
            if len(training.pending) > 1:
                training.finish()
            if run.clock() - training.saved >= run.settings.save_seconds:
                save()
        if training.log.last > begun:
            save()
    return training.average()


def _settled_batch(training: _Training) -> int:
    """The batch to stay with: the one asked for, that of an earlier process, or the one that trying finds."""
    stage, run = training.stage, training.run
    path = stage.folder / "batch.json"
    speeds: dict[int, float] = {}
    own = run.settings
    batch = stage.batch
    if batch is None and path.exists():
        batch = int(json.loads(path.read_text(encoding="utf-8"))["batch"])
    settled = batch is not None
    while not settled and not training.over:
        batch, settled = next_batch(speeds, own.first_batch, own.largest_batch, own.gain)
        if settled or 0.0 in speeds.values() or (speeds and stage.span.part(run.clock()) > own.trying):
            batch = batch if settled else max(speeds, key=lambda tried: speeds[tried])
            break
        speeds[batch] = 0.0
        if training.compile(batch):
            training.finished = run.clock()
            for _ in range(2):  # the first chooses kernels
                training.begin(batch)
                speeds[batch] = training.finish()
            print(f"{stage.folder.name}: {speeds[batch]:.0f} examples/s in batches of {batch}", flush=True)
    batch = own.first_batch if batch is None else batch
    if not training.over:
        if not training.compile(batch):
            raise InputError(f"{stage.folder.name}: a batch of {batch} does not fit the memory: set a smaller one")
        training.finished = run.clock()
        with atomic_path(path) as partial:
            partial.write_text(json.dumps({"batch": batch, "examples_per_second": speeds}) + "\n", encoding="utf-8")
    return batch
