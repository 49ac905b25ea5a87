import numpy as np

from nvs_jax.diffusion import reference_trust


def test_two_views_equal_the_release(parity):
    stored = np.load(parity / "lambda" / "two_view_100.npz")
    distances = np.load(parity / "warp" / "two_view_path.npz")["dists"]
    found = reference_trust(stored["sigmas"][:-1], distances)
    assert found.coefficients == tuple(stored["v"])
    np.testing.assert_allclose(found.table, stored["weight"], rtol=0, atol=1e-7)  # stored in float32
