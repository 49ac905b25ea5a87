import jax.numpy as jnp
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nvs_jax.scenes.noise import value_noise
from nvs_jax.scenes.textures import fractal_noise, pulse


@given(st.floats(-20, 20), st.floats(0.02, 3), st.floats(0.05, 0.95))
def test_a_pulse_is_averaged_over_its_width(x: float, width: float, duty: float):
    at = x + width * (np.arange(4000) + 0.5 - 2000) / 4000
    expected = np.mean(np.mod(at, 1) < duty)
    assert abs(float(pulse(jnp.float32(x), jnp.float32(width), duty)) - expected) < 2e-3


def test_noise_is_continuous_and_spread_over_its_range():
    p = jnp.asarray(np.random.default_rng(0).uniform(-40, 40, (3, 20000)), jnp.float32)
    values = value_noise(p)
    assert 0 <= values.min() < 0.1 and 0.9 < values.max() < 1
    assert abs(float(values.mean()) - 0.5) < 0.01
    assert np.abs(value_noise(p + 1e-3) - values).max() < 0.01


def test_noise_fades_to_its_mean_when_it_is_finer_than_a_pixel():
    p = jnp.asarray(np.random.default_rng(0).uniform(-40, 40, (3, 2000)), jnp.float32)
    spread = [float(fractal_noise(p, jnp.full(2000, width)).std()) for width in (0.0, 0.2, 0.5, 1.0)]
    assert spread[0] > spread[1] > spread[2] > spread[3] == 0
