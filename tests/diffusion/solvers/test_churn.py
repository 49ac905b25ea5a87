import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.diffusion import Churn, Unguided, closed_form_trust, karras_sigmas, sample
from tests.diffusion.toys import GaussianDenoiser


def test_it_follows_its_key_and_keeps_the_distribution():
    shape = (1, 1, 64, 64, 2)
    denoiser, noise = GaussianDenoiser(jnp.zeros(shape)), jax.random.normal(jax.random.key(0), shape)
    sigmas, trust = karras_sigmas(40, 80.0), closed_form_trust(jnp.zeros(1), 80.0)
    same, again, other = (
        sample(denoiser, Unguided(), trust, noise, sigmas, Churn(noise=1.0), jax.random.key(k)) for k in (1, 1, 2)
    )
    np.testing.assert_array_equal(same, again)
    assert float(jnp.abs(same - other).mean()) > 0.05
    # The data's spread: a sample of 8,192 values is within 3 % of it nearly always; the solver's error is 1 % here.
    assert float(other.std()) == pytest.approx(0.5, rel=0.05)
