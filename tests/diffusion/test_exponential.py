import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import quad

from nvs_jax.diffusion.exponential import phi


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_phi_is_the_integral_at_any_length(k):
    lengths = np.array([0.0, 1e-6, 1e-3, 0.1, 0.999, 1.0, 1.5, 12.0])
    exact = [
        quad(lambda s, h=h: math.exp(-(1 - s) * h) * s ** (k - 1) / math.factorial(k - 1), 0, 1)[0] for h in lengths
    ]
    np.testing.assert_allclose([phi(k, jnp.float32(h)) for h in lengths], exact, rtol=1e-5)
    with jax.enable_x64(True):
        np.testing.assert_allclose([phi(k, jnp.float64(h)) for h in lengths], exact, rtol=1e-12)


def test_phi_has_a_slope_everywhere():
    """phi_1' = phi_1 - phi_2 in z."""
    with jax.enable_x64(True):
        for h in map(jnp.float64, (0.0, 0.5, 1.0, 3.0)):
            slope = jax.grad(lambda h: phi(1, h))(h)
            assert float(slope) == pytest.approx(float(phi(2, h) - phi(1, h)), rel=1e-10)
