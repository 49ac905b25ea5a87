import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.models.svd.codec import SVDCodec
from nvs_jax.models.svd.config import VAEConfig

CASES = ["single_f00_orbit60_t05", "single_f00_orbit60_t24", "dynamic_f12_orbit15", "line_f00_t12"]


@pytest.mark.parametrize("case", [*CASES, "two_view_t06", "two_view_t18"])
def test_pooled_holes_equal_the_release(case, parity):
    stored = np.load(parity / "warp" / f"{case}.npz")
    hole = np.unpackbits(stored["hole"]).reshape(576, 1024).astype(bool)
    codec = SVDCodec({}, 1.0, VAEConfig())
    pooled = np.asarray(codec.pool_mask(jnp.asarray(hole)[None]))[0]
    np.testing.assert_array_equal(pooled, stored["latent_hole"].astype(bool))
