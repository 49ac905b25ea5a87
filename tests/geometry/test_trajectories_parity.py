"""Camera paths of the authors' release."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry import between, line, orbit

PATHS = {
    "orbit_60_70_1deg": lambda: orbit(60, 70, 1, 25),
    "orbit_15_30_1deg_inverse": lambda: orbit(15, 30, 1, 25, inverse=True),
    "line": lambda: line(40, (30, 2, -10), 25),
}


@pytest.mark.parametrize("name", PATHS)
def test_path(name, parity):
    theirs = np.load(parity / f"warp/poses_{name}.npy", allow_pickle=False)
    np.testing.assert_allclose(PATHS[name](), theirs, atol=1e-5)
    with jax.enable_x64(True):
        np.testing.assert_allclose(PATHS[name](), theirs, atol=1e-12)


def test_two_views(parity):
    """The release's rotations are made exact; the published ones, of six digits, are what ours start from."""
    theirs = dict(np.load(parity / "warp/two_view_path.npz", allow_pickle=False))
    ours = between(*(jnp.asarray(theirs["poses"][end], jnp.float32) for end in (0, -1)), 25, "translation")
    np.testing.assert_allclose(ours, theirs["poses"], atol=5e-5)
    with jax.enable_x64(True):
        ours = between(*(jnp.asarray(theirs["poses"][end]) for end in (0, -1)), 25, "translation")
    np.testing.assert_allclose(ours, theirs["poses"], atol=2e-6)

    ends = ours[:1, :3, 3], ours[-1:, :3, 3]
    left, right = (np.linalg.norm(ours[:, :3, 3] - end, axis=1) for end in ends)
    distance = np.where(np.arange(25) < theirs["split"], left, right)
    np.testing.assert_allclose(distance / distance.max(), theirs["dists"], atol=1e-6)
