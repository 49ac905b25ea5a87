import numpy as np
import pytest

from nvs_jax.diffusion import karras_sigmas
from nvs_jax.errors import InputError


@pytest.mark.parametrize("steps", [1, 2, 25, 100])
def test_falls_from_the_largest_to_the_smallest_then_zero(steps):
    sigmas = np.asarray(karras_sigmas(steps))
    assert sigmas.shape == (steps + 1,)
    assert sigmas[0] == pytest.approx(700)
    assert sigmas[-1] == 0
    assert (np.diff(sigmas) < 0).all()
    if steps > 1:
        assert sigmas[-2] == pytest.approx(0.002)


def test_rho_one_is_linear():
    np.testing.assert_allclose(karras_sigmas(5, 8.0, 4.0, 1.0), [8, 7, 6, 5, 4, 0], rtol=1e-6)


@pytest.mark.parametrize("arguments", [(0,), (-3,), (5, 1.0, 2.0), (5, 1.0, 0.0)])
def test_refuses_what_is_not_a_schedule(arguments):
    with pytest.raises(InputError):
        karras_sigmas(*arguments)
