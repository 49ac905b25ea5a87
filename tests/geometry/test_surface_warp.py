import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.geometry import intrinsics_matrix, look_at, warp_one
from nvs_jax.geometry.cameras import unproject
from nvs_jax.geometry.surface_warp import cell_number
from nvs_jax.settings import WarpSettings

SIZE = (48, 64)
K = intrinsics_matrix(60.0, *SIZE, "release")
SURFACE = WarpSettings(quantize=False)
_warp = jax.jit(warp_one, static_argnames="settings")


def waves(points):
    """A smooth pattern on a surface, by its points in the world."""
    phase = jnp.stack([1.3 * points[..., 0], 1.1 * points[..., 1], points[..., 0] + points[..., 1]], axis=-1)
    return 0.5 + 0.45 * jnp.sin(phase)


@jax.jit
def plane(pose, normal=(0.2, -0.1, 1.0), distance=8.0):
    """Picture and depth of the plane normal . X = distance (world) seen from a pose."""
    rays = unproject(jnp.ones(SIZE), K)
    rotation, translation = pose[:3, :3], pose[:3, 3]
    origin = -rotation.T @ translation
    directions = rays @ rotation
    normal = jnp.asarray(normal)
    depth = (distance - normal @ origin) / (directions @ normal)
    return waves(origin + depth[..., None] * directions), depth


def test_a_plane_is_exact_up_to_interpolation():
    """The error left is that of the cubic: waves of 25 pixels and more, to better than one of 255 steps."""
    source, target = look_at((0.0, 0.0, 0.0), (0.0, 0.0, 8.0)), look_at((1.5, 0.4, -0.5), (0.0, 0.2, 8.0))
    picture, depth = plane(source)
    truth, _ = plane(target)
    warp = _warp(picture, depth, K, source, target, settings=SURFACE)
    assert warp.valid.mean() > 0.75
    edge = jnp.ones((*SIZE, 3)).at[2:-2, 2:-2].set(0)  # there the cubic lacks neighbours
    inside = warp.valid & (_warp(edge, depth, K, source, target, settings=SURFACE).pictures[..., 0] == 0)
    assert inside.mean() > 0.65
    assert jnp.abs(warp.pictures - truth)[inside].max() < 1 / 255


@pytest.mark.parametrize("zoom", [1.5, 2.5, 3.5])
def test_nothing_shows_through_a_magnified_surface(zoom):
    """A black disc before a white wall, from so near that its pixels no longer touch."""
    y, x = jnp.meshgrid(jnp.arange(SIZE[0]), jnp.arange(SIZE[1]), indexing="ij")
    disc = (x - 32) ** 2 + (y - 24) ** 2 < 8**2
    depth, picture = jnp.where(disc, 2.0, 50.0), jnp.where(disc[..., None], 0.0, jnp.ones(3))
    forward = jnp.eye(4).at[2, 3].set(2 / zoom - 2)
    warp = _warp(picture, depth, K, jnp.eye(4), forward, settings=SURFACE)
    inside = (x - 32) ** 2 + (y - 24) ** 2 < (8 * zoom - zoom - 1) ** 2
    seen = warp.valid & inside
    np.testing.assert_array_equal(warp.pictures[seen], 0)
    assert seen.sum() > (0.9 if zoom < 3 else 0.5) * inside.sum()


def test_surfaces_seen_from_behind_are_not_valid():
    picture, depth = plane(jnp.eye(4), (0.0, 0.0, 1.0))
    behind = look_at((0.0, 0.0, 16.0), (0.0, 0.0, 8.0))
    assert not _warp(picture, depth, K, jnp.eye(4), behind, settings=SURFACE).valid.any()


def test_gradient_by_pose_and_depth_points_to_the_truth():
    """From a slightly wrong pose, the gradient of the error against the true view moves back to the true one."""
    source, target = jnp.eye(4), look_at((0.6, 0.1, 0.0), (0.0, 0.0, 8.0))
    picture, depth = plane(source)
    truth, _ = plane(target)

    def error(shift, stretch):
        moved = target.at[:3, 3].add(shift)
        warp = warp_one(picture, depth * (1 + stretch), K, source, moved, SURFACE)
        inside = warp.valid[8:-8, 16:-16, None]
        return jnp.where(inside, (warp.pictures - truth)[8:-8, 16:-16] ** 2, 0).sum()

    gradient = jax.jit(jax.grad(error, (0, 1)))
    by_shift, _ = gradient(jnp.array([0.05, -0.04, 0.0]), 0.0)
    assert by_shift[0] > 0 > by_shift[1]
    assert gradient(jnp.zeros(3), 0.05)[1] > 0 > gradient(jnp.zeros(3), -0.05)[1]


@pytest.mark.parametrize("splat", ["surface", "zbuffer"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_specks_of_unknown_depth_make_no_holes(share, splat):
    """Where nothing moves, what is lost is less than what is unknown, not several times as much."""
    picture, depth = plane(jnp.eye(4))
    unknown = np.random.default_rng(0).random(SIZE) < share
    how = WarpSettings(splat=splat, quantize=False)
    whole = _warp(picture, depth, K, jnp.eye(4), jnp.eye(4), settings=how)
    warp = _warp(picture, jnp.where(unknown, jnp.inf, depth), K, jnp.eye(4), jnp.eye(4), settings=how)
    assert whole.valid.mean() - warp.valid.mean() < (0.002 if share < 0.3 else 0.1)
    both = warp.valid & whole.valid
    np.testing.assert_allclose(warp.pictures[both], whole.pictures[both], atol=2e-2)


def test_cells_of_a_large_picture_are_counted_exactly():
    """Float32 tells whole numbers apart up to 2^24: a picture of 5000x6000 has 30 million."""
    rng = np.random.default_rng(0)
    row, column = rng.integers(0, 5000, (1, 1000)), rng.integers(0, 6000, (1, 1000))
    cells = cell_number(jnp.asarray(row, jnp.float32), jnp.asarray(column, jnp.float32), 6000)
    np.testing.assert_array_equal(cells, row * 6000 + column)
