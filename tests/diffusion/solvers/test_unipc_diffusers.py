import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from nvs_jax.diffusion.solvers.unipc import UniPC


def stepped(solver, sigmas, denoise, x):
    """The latents at every level."""
    memory, key, found = solver.init(x), jax.random.key(0), [x]
    for sigma, sigma_next in itertools.pairwise(sigmas):
        x, memory = solver.step(x, memory, sigma, sigma_next, lambda x, sigma: denoise(x, sigma), key)
        found.append(x)
    return np.stack(found)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers, with NumPy 2
@pytest.mark.parametrize("p", [2, 3])
def test_it_is_diffusers_step_for_step(p):
    """With data prediction and B_2, to the level where diffusers begins to lower the order for the end."""
    scheduler = UniPCMultistepScheduler(
        prediction_type="sample", solver_order=p, solver_type="bh2", use_karras_sigmas=True, lower_order_final=False
    )
    scheduler.set_timesteps(12)
    sigmas, x = np.asarray(scheduler.sigmas, np.float64), np.random.default_rng(0).standard_normal((1, 2, 3, 4, 2))
    x = x * np.sqrt(sigmas[0] ** 2 + 1)

    def denoise(x, sigma):
        """Not linear, so that a wrong weight shows."""
        return np.tanh(x / (1 + sigma)) + 0.1 * np.cos(sigma)

    theirs, now = [x], torch.tensor(x / np.sqrt(sigmas[0] ** 2 + 1))  # their latents are divided by sqrt(sigma^2 + 1)
    for index, time in enumerate(scheduler.timesteps[:-1]):
        given = now.numpy() * np.sqrt(sigmas[index] ** 2 + 1)
        now = scheduler.step(torch.tensor(denoise(given, sigmas[index])), time, now, return_dict=False)[0]
        theirs.append(now.numpy() * np.sqrt(sigmas[index + 1] ** 2 + 1))
    with jax.enable_x64(True):
        ours = stepped(
            UniPC(p),
            jnp.asarray(sigmas[:-1]),
            lambda x, sigma: jnp.tanh(x / (1 + sigma)) + 0.1 * jnp.cos(sigma),
            jnp.asarray(x),
        )
    np.testing.assert_allclose(ours, np.stack(theirs), rtol=1e-5, atol=1e-5)  # their sigmas and weights are float32
