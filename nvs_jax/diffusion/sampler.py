"""From noise to a video: one pure step, scanned under one jit."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from nvs_jax.diffusion.checkpointing import checkpointed_scan
from nvs_jax.diffusion.contracts import Denoiser, Guidance, Latents, Sigma, Trust
from nvs_jax.diffusion.randomness import Keys, fold_in, guidance_keys
from nvs_jax.diffusion.solver import Solver
from nvs_jax.diffusion.solvers.euler import Euler
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
    """

    x: Latents
    memory: Any
    step: Int[Array, ""]
    key: Keys


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
    """One guided solver step from `sigma` to `sigma_next`."""

    to_correct, to_estimate = guidance_keys(carry.key, carry.step)

    def estimate(x: Latents, sigma: Sigma) -> Latents:
        return guidance.estimate(denoiser(x, sigma), sigma, trust(sigma), to_estimate)

    x = guidance.correct(carry.x, sigma, trust(sigma), denoiser, to_correct)
    key = fold_in(carry.key, carry.step)
    x, memory = solver.step(x, carry.memory, sigma, sigma_next, estimate, key)
    return Carry(x, memory, carry.step + 1, carry.key)


@partial(jax.jit, static_argnames=("solver", "checkpoint"), donate_argnames="carry")
def run_steps(
    carry: Carry,
    sigmas: Float[Array, "levels"],
    denoiser: Denoiser,
    guidance: Guidance,
    trust: Trust,
    solver: Solver = Euler(),
    checkpoint: bool = False,
) -> Carry:
    """As many steps as `sigmas` has intervals, in one program. The carry's buffers are reused.

    With `checkpoint`, gradients through all steps need memory like the square root of their number.
    """

    def body(carry: Carry, interval: tuple[Sigma, Sigma]) -> Carry:
        return step(carry, *interval, denoiser=denoiser, guidance=guidance, trust=trust, solver=solver)

    levels = (sigmas[:-1], sigmas[1:])
    if checkpoint:
        carry = checkpointed_scan(body, carry, levels)
    else:
        carry = jax.lax.scan(lambda carry, interval: (body(carry, interval), None), carry, levels)[0]
    # On a mesh, the one gather of the latents: results whose frames do not divide evenly cannot be handed out in parts.
    x, memory = jax.tree.map(lambda array: constrain(array, "replicated"), (carry.x, carry.memory))
    return Carry(x, memory, carry.step, carry.key)


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
    return run_steps(init(x, solver, key), sigmas, denoiser, guidance, trust, solver, checkpoint).x
