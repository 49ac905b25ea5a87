import numpy as np

from nvs_jax.diffusion import karras_sigmas
from scripts.accelerator.torch_side import karras_levels


def test_noise_levels_are_the_samplers():
    for steps in (5, 25):
        np.testing.assert_allclose(karras_levels(steps), np.asarray(karras_sigmas(steps)), rtol=1e-5)
