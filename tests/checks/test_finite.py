import jax.numpy as jnp
import pytest

from nvs_jax.checks.finite import check_finite


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_every_bad_value_is_counted(dtype):
    arrays = {"a": jnp.array([1.0, jnp.nan, -jnp.inf], dtype), "b": jnp.ones((2, 3), dtype).at[1, 1].set(jnp.inf)}
    outcome = check_finite("weights", arrays)
    assert outcome.measured == 3
    assert not outcome.ok


def test_sound_values_pass():
    assert check_finite("weights", {"a": jnp.ones(3), "b": jnp.full((2, 2), 3e38)}).ok
