"""Which pixels show the same surface: seen depth of a scene whose depth is known everywhere."""

import jax.numpy as jnp
import numpy as np

from nvs_jax.geometry import intrinsics_matrix, orbit
from nvs_jax.geometry.correspondence import SeenDepth, correspondence, seen_depth
from nvs_jax.settings import WarpSettings

H, W, F = 24, 32, 3
K = intrinsics_matrix(30.0, H, W)


def aside(step: float) -> jnp.ndarray:
    """Cameras that move to the right, a step a frame."""
    poses = jnp.tile(jnp.eye(4), (F, 1, 1))
    return poses.at[:, 0, 3].set(-step * jnp.arange(F))


def wall(z: float, poses: jnp.ndarray) -> SeenDepth:
    return SeenDepth(jnp.full((F, H, W), z), jnp.stack([K] * F), poses)


def test_a_wall_moves_by_as_many_pixels_as_the_camera_says():
    index, same = correspondence(wall(10.0, aside(1.0)))  # 30 / 10 = 3 pixels to the left, a step
    frame, row, column = np.unravel_index(np.asarray(index), (F, H, W))
    rows, columns = np.mgrid[:H, :W]
    for i in range(F):
        for j in range(F):
            there = columns + 3 * (i - j)
            inside = (there >= 0) & (there < W)
            np.testing.assert_array_equal(np.asarray(same[i, j]), inside)
            assert (frame[i, j] == j).all()
            np.testing.assert_array_equal(column[i, j][inside], there[inside])
            np.testing.assert_array_equal(row[i, j][inside], rows[inside])


def test_what_stands_behind_something_else_has_no_match_there():
    seen = wall(10.0, aside(1.0))
    seen = SeenDepth(seen.depth.at[1, :, :10].set(4.0), seen.intrinsics, seen.poses)
    _, same = correspondence(seen)
    assert not bool(same[0, 1, :, :13].any()) and bool(same[0, 1, :, 13:].all())
    assert bool(same[1, 1].all()), "every pixel shows itself"


def test_cells_are_cameras_of_fewer_pixels_that_see_the_same():
    seen = wall(10.0, aside(2.0))
    cells = seen.cells(4, 2)
    assert cells.depth.shape == (2, H // 4, W // 4)
    index, same = correspondence(cells)  # two steps of 6 pixels are 3 cells
    column = np.asarray(index) % (W // 4)
    np.testing.assert_array_equal(column[0, 1][:, 3:], np.broadcast_to(np.arange(W // 4 - 3), (H // 4, W // 4 - 3)))
    assert not bool(same[0, 1, :, :3].any()) and bool(same[0, 1, :, 3:].all())


def test_depth_is_carried_along_the_path_and_known_in_holes():
    depth = jnp.full((H, W), 8.0).at[8:16, 12:20].set(4.0)
    seen = seen_depth(depth, jnp.stack([K] * F), orbit(8.0, 8.0, 6.0, F), WarpSettings())
    assert seen.depth.shape == (F, H, W) and bool((seen.depth > 0).all() & jnp.isfinite(seen.depth).all())
    np.testing.assert_allclose(seen.depth[0][:, :8], depth[:, :8], rtol=0.02)
    index, same = correspondence(seen)
    assert float(same[0, 1].mean()) > 0.6 and int(index.max()) < F * H * W
