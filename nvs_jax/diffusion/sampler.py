"""From noise to a video: one pure step, scanned under one jit."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from jaxtyping import Array, Float, Int

from nvs_jax.diffusion.checkpointing import checkpointed_scan
from nvs_jax.diffusion.contracts import Choosing, Denoiser, Guidance, Latents, Sigma, Trust, TrustValues
from nvs_jax.diffusion.randomness import Keys, choosing_key, fold_in, guidance_keys
from nvs_jax.diffusion.recording import Record, StepInfo, empty_records, put_rows
from nvs_jax.diffusion.solver import Solver
from nvs_jax.diffusion.solvers.euler import Euler
from nvs_jax.errors import InputError
from nvs_jax.pytree import pytree
from nvs_jax.sharding import constrain


@pytree
class Carry:
    """All that a run is between two steps: save it, and the run can continue.

    Attributes:
        x: the noisy latents.
        memory: the solver's.
        step: how many steps have been taken.
        key: the run's randomness, or one key a video; a step folds its number into it.
        records: what is recorded, with room for all steps.
    """

    x: Latents
    memory: Any
    step: Int[Array, ""]
    key: Keys
    records: Any = ()


def init(x: Latents, solver: Solver = Euler(), key: Keys | None = None) -> Carry:
    """The carry before the first step; `key` matters to stochastic solvers and guidances only.

    `run_steps` reuses the memory of `x`; the key is copied, and so is what the solver gives more than once.
    """
    key = jax.random.key(0) if key is None else jax.random.clone(key)
    seen = {id(x)}

    def once(leaf: Any) -> Any:
        # Buffers are given away to `run_steps`, and one can be given away once only.
        if isinstance(leaf, jax.Array) and id(leaf) in seen:
            return jnp.array(leaf, copy=True)
        seen.add(id(leaf))
        return leaf

    return Carry(x, jax.tree.map(once, solver.init(x)), jnp.zeros((), jnp.int32), key)


def step(
    carry: Carry,
    sigma: Sigma,
    sigma_next: Sigma,
    *,
    denoiser: Denoiser,
    guidance: Guidance,
    trust: Trust,
    solver: Solver,
) -> Carry:
    """One guided solver step from `sigma` to `sigma_next`; it records nothing."""
    parts = {"denoiser": denoiser, "guidance": guidance, "trust": trust, "solver": solver}
    return observed_step(carry, sigma, sigma_next, **parts)[0]


def observed_step(
    carry: Carry,
    sigma: Sigma,
    sigma_next: Sigma,
    *,
    denoiser: Denoiser,
    guidance: Guidance,
    trust: Trust,
    solver: Solver,
) -> tuple[Carry, StepInfo]:
    """The same, and what is known of it.

    Raises:
        InputError: the solver makes no estimate.
    """
    to_correct, to_estimate = guidance_keys(carry.key, carry.step)

    estimates: list[tuple[Latents, Latents, TrustValues]] = []

    def estimate(x: Latents, sigma: Sigma) -> Latents:
        x0, w = denoiser(x, sigma), trust(sigma)
        estimates.append((x0, guidance.estimate(x0, sigma, w, to_estimate), w))
        return estimates[-1][1]

    corrected = guidance.correct(carry.x, sigma, trust(sigma), denoiser, to_correct)
    key = fold_in(carry.key, carry.step)
    x, memory = solver.step(corrected, carry.memory, sigma, sigma_next, estimate, key)
    if not estimates:
        raise InputError(f"the solver {type(solver).__name__} never calls `estimate`: its step must, at least once")
    # Later estimates may have been made inside of a loop or a branch, where they have to stay.
    info = StepInfo(carry.step, sigma, sigma_next, carry.x, corrected, *estimates[0], x)
    if isinstance(guidance, Choosing):
        x, memory = _of_parents((x, memory), guidance.parents(info.x0, sigma, choosing_key(carry.key, carry.step)), x)
    return Carry(x, memory, carry.step + 1, carry.key, carry.records), info


def _of_parents(state: Any, parents: Int[Array, "b"], x: Latents) -> Any:
    """What is of b videos in the order of their parents; what has no such axis stays."""
    return jax.tree.map(lambda leaf: leaf[parents] if leaf.shape == x.shape else leaf, state)


def _steps(
    carry: Carry,
    sigmas: Float[Array, "levels"],
    denoiser: Denoiser,
    guidance: Guidance,
    trust: Trust,
    solver: Solver = Euler(),
    checkpoint: bool = False,
    record: Record | None = None,
) -> Carry:
    """As many steps as `sigmas` has intervals, in one program. The carry's buffers are reused.

    With `checkpoint`, gradients through all steps need memory like the square root of their number. What is recorded
    goes into the carry's records, if they have room for it (see `init_records`), or takes their place.
    """
    parts = {"denoiser": denoiser, "guidance": guidance, "trust": trust, "solver": solver}

    def body(carry: Carry, interval: tuple[Sigma, Sigma]) -> tuple[Carry, Any]:
        carry, info = observed_step(carry, *interval, **parts)
        return carry, None if record is None else record(info)

    levels = (sigmas[:-1], sigmas[1:])
    first, records = carry.step, carry.records
    scan = checkpointed_scan if checkpoint else jax.lax.scan
    carry, rows = scan(body, replace(carry, records=()), levels)
    if record is not None:
        records = put_rows(records, rows, first) if jax.tree.leaves(records) else rows
    # On a mesh, the one gather of the latents: results whose frames do not divide evenly cannot be handed out in parts.
    gathered = (carry.x, carry.memory, records)
    x, memory, records = jax.tree.map(lambda array: constrain(array, "replicated"), gathered)
    return Carry(x, memory, carry.step, carry.key, records)


_STATIC = ("solver", "checkpoint", "record")
run_steps = jax.jit(_steps, static_argnames=_STATIC, donate_argnames="carry")
run_traced = jax.jit(_steps, static_argnames=_STATIC)
"""The same for what is being differentiated or mapped over, where buffers are not given away."""


def is_traced(tree: Any) -> bool:
    """Whether any of it is being differentiated, mapped over or compiled."""
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(tree))


def init_records(
    carry: Carry,
    sigmas: Float[Array, "levels"],
    denoiser: Denoiser,
    guidance: Guidance,
    trust: Trust,
    solver: Solver,
    record: Record,
) -> Carry:
    """The carry before the first step, with room for what is recorded of all of them."""
    parts = {"denoiser": denoiser, "guidance": guidance, "trust": trust, "solver": solver}
    room = empty_records(lambda: record(observed_step(carry, sigmas[0], sigmas[1], **parts)[1]), len(sigmas) - 1)
    return replace(carry, records=room)


def sample(
    denoiser: Denoiser,
    guidance: Guidance,
    trust: Trust,
    noise: Latents,
    sigmas: Float[Array, "levels"],
    solver: Solver = Euler(),
    key: Keys | None = None,
    checkpoint: bool = False,
) -> Latents:
    """Clean latents from noise.

    Args:
        denoiser: the video model, conditioned.
        guidance: how the warped views steer it.
        trust: how strongly, per frame and noise level.
        noise: N(0, 1); scaled here to the first noise level.
        sigmas: falling noise levels, usually with a final 0.
        solver: of the ODE.
        key: for stochastic solvers and guidances; one, or one a video.
        checkpoint: see `run_steps`; set it to differentiate the result in the noise, the trust, the views or the poses
            and depth that they come from.
    """
    x = noise * jnp.sqrt(sigmas[0] ** 2 + 1)
    run = run_traced if is_traced((denoiser, guidance, trust, noise, sigmas, key)) else run_steps
    return run(init(x, solver, key), sigmas, denoiser, guidance, trust, solver, checkpoint).x
