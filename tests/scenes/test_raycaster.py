import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from nvs_jax.errors import InputError
from nvs_jax.geometry import orbit
from nvs_jax.geometry.cameras import project, relative_pose, transform, unproject
from nvs_jax.scenes import default_view, random_scene, render, render_path
from nvs_jax.scenes.layout import solids
from nvs_jax.scenes.scene import Scene
from nvs_jax.scenes.solids import Geometry

HEIGHT, WIDTH = 72, 96
POSE, K = default_view(HEIGHT, WIDTH)


def side_pose(degrees: float) -> jax.Array:
    return orbit(4.0, 4.0, degrees, 2)[1]


def emptied(scene: Scene, centre=(0.0, 50.0, 0.0), radius: float = 0.1) -> Scene:
    """The room alone, of half width 6, with one sphere: everything else is far outside."""
    away = jnp.asarray([0.0, 50.0, 0.0])
    geometry = scene.geometry
    furniture = (geometry.boxes, geometry.spheres, geometry.capsules)
    boxes, spheres, capsules = (s._replace(centre=jnp.broadcast_to(away, s.centre.shape)) for s in furniture)
    spheres = spheres._replace(
        centre=spheres.centre.at[0].set(jnp.asarray(centre)), radius=spheres.radius.at[0].set(radius)
    )
    room = solids(jnp.zeros((1, 3)), jnp.asarray([[6.0, 2.0, 6.0]]))
    return scene._replace(geometry=geometry._replace(room=room, boxes=boxes, spheres=spheres, capsules=capsules))


def pixel_rays() -> np.ndarray:
    """K^-1 (j, i, 1) of every pixel, float64."""
    j, i = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    return np.stack([j, i, np.ones_like(i)], -1) @ np.linalg.inv(np.asarray(K, np.float64)).T


def test_depth_of_walls_is_that_of_planes():
    depth = render(emptied(random_scene(0)), POSE, K, HEIGHT, WIDTH).depth
    x, y, _ = np.moveaxis(pixel_rays(), -1, 0)
    # From (0, 0, 4), looking along -z: the far wall at z = 10, side walls at |x| = 6, floor and ceiling at |y| = 2.
    expected = np.minimum(10, np.minimum(6 / np.maximum(np.abs(x), 1e-9), 2 / np.maximum(np.abs(y), 1e-9)))
    np.testing.assert_allclose(depth, expected, rtol=2e-6)


def test_depth_of_a_sphere_is_analytic_and_of_the_pixel_centre_whatever_the_samples():
    centre, radius = np.array([0.3, -0.2, 0.5]), 0.9
    scene = emptied(random_scene(0), tuple(centre), radius)
    in_camera = np.asarray(POSE[:3, :3], np.float64) @ centre + np.asarray(POSE[:3, 3])
    rays = pixel_rays()
    a, b, c = (rays**2).sum(-1), rays @ in_camera, in_camera @ in_camera - radius**2
    discriminant = b**2 - a * c
    inside = discriminant > 0.02 * a  # away from the outline, where the depth is ill-conditioned
    expected = (b - np.sqrt(np.maximum(discriminant, 0))) / a
    assert inside.sum() > 200
    for samples in (1, 2):
        depth = np.asarray(render(scene, POSE, K, HEIGHT, WIDTH, samples=samples).depth)
        np.testing.assert_allclose(depth[inside], expected[inside], rtol=5e-6)


def test_rotation_and_skew_of_the_camera():
    """Points unprojected with the whole K and pose lie on the walls of the room."""
    scene = emptied(random_scene(0))
    skewed = K.at[0, 1].set(7.0).at[1, 1].set(70.0)
    pose = side_pose(40.0)
    points = unproject(render(scene, pose, skewed, HEIGHT, WIDTH).depth, skewed)
    world = np.asarray(transform(jnp.linalg.inv(pose), points))
    np.testing.assert_allclose(np.abs(world / np.array([6.0, 2.0, 6.0])).max(-1), 1, atol=1e-5)


def bilinear(values: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    planes = values[..., None] if values.ndim == 2 else values
    taken = [map_coordinates(planes[..., k], [y, x], order=1, mode="nearest") for k in range(planes.shape[-1])]
    return np.stack(taken, -1).reshape(*x.shape, *values.shape[2:])


def reprojected(scene: Scene, pose_a, pose_b, view_dependent: float = 0.0):
    """Colours of A's pixels in A and where they are seen in B, for those whose depth agrees."""
    extras = {"samples": 2, "view_dependent": view_dependent}
    a, b = (render(scene, pose, K, HEIGHT, WIDTH, **extras) for pose in (pose_a, pose_b))
    points = transform(relative_pose(pose_a, pose_b), unproject(a.depth, K))
    position, depth = (np.asarray(v) for v in project(points, K))
    x, y = position[..., 0], position[..., 1]
    inside = (x > 0) & (x < WIDTH - 1) & (y > 0) & (y < HEIGHT - 1) & (depth > 0)
    visible = inside & (np.abs(bilinear(np.asarray(b.depth), x, y) / np.maximum(depth, 1e-6) - 1) < 0.005)
    return np.asarray(a.picture)[visible], bilinear(np.asarray(b.picture), x, y)[visible], visible.mean()


@pytest.mark.parametrize("seed", [1, 3])
def test_what_one_view_sees_another_sees_there_too(seed: int):
    """A room and an open place: textures, shadows, sky."""
    here, there, share = reprojected(random_scene(seed), POSE, side_pose(5.0))
    error, unrelated = np.abs(here - there), np.abs(here - np.roll(there, 37, 0))
    assert share > 0.5
    assert np.median(error) < 0.01
    assert np.median(error) < 0.1 * np.median(unrelated)


def test_only_glossy_surfaces_change_with_the_eye():
    """All surfaces in one colour, so that nothing but light is compared."""
    scene = random_scene(1)
    material = scene.material
    plain = material._replace(colours=jnp.full_like(material.colours, 0.5), wear=jnp.zeros_like(material.wear))
    scene = scene._replace(material=plain)
    dull, glossy = (np.abs(np.subtract(*reprojected(scene, POSE, side_pose(12.0), v)[:2])) for v in (0.0, 1.0))
    assert np.median(dull) < 5e-4
    assert np.median(glossy) > 10 * np.median(dull)


def test_shading_by_view_leaves_depth_alone():
    scene = random_scene(1)
    dull, glossy = (render(scene, POSE, K, HEIGHT, WIDTH, view_dependent=v) for v in (0.0, 1.0))
    np.testing.assert_array_equal(dull.depth, glossy.depth)
    assert np.abs(dull.picture - glossy.picture).max() > 0.1


def test_time_moves_some_solids_and_not_the_rest():
    scene = random_scene(2)
    first, again, later = (render(scene, POSE, K, HEIGHT, WIDTH, time=t) for t in (0.0, 0.0, 0.7))
    np.testing.assert_array_equal(first.picture, again.picture)
    moved = np.asarray(first.depth != later.depth)
    assert 0.01 < moved.mean() < 0.5
    at_rest = (s._replace(motion=jax.tree.map(jnp.zeros_like, s.motion)) for s in scene.geometry)
    still = scene._replace(geometry=Geometry(*at_rest))
    views = [render(still, POSE, K, HEIGHT, WIDTH, time=t) for t in (0.0, 0.7)]
    np.testing.assert_array_equal(views[0].picture, views[1].picture)


def test_supersampling_converges_and_one_sample_does_not_alias_much():
    scene = random_scene(3)
    one, two, many = (np.asarray(render(scene, POSE, K, HEIGHT, WIDTH, samples=n).picture) for n in (1, 2, 4))
    assert np.mean(np.abs(two - many)) < np.mean(np.abs(one - many)) < 0.03
    assert np.mean(np.abs(two - many)) < 0.012


def test_paths_are_frames_one_after_another():
    scene = random_scene(4)
    poses, times = orbit(4.0, 4.0, 12.0, 6), jnp.linspace(0, 1, 6)
    path = render_path(scene, poses, K, HEIGHT, WIDTH, time=times)
    assert path.picture.shape == (6, HEIGHT, WIDTH, 3) and path.depth.shape == (6, HEIGHT, WIDTH)
    for frame in range(6):
        view = render(scene, poses[frame], K, HEIGHT, WIDTH, time=times[frame])
        np.testing.assert_allclose(path.depth[frame], view.depth, rtol=1e-5)
        assert np.mean(np.abs(path.picture[frame] - view.picture)) < 1e-4


def test_one_compilation_serves_seeds_poses_times_and_shading():
    compiled = []
    for seed in range(3):
        view = {"time": 0.3 * seed, "view_dependent": 0.2 * seed}
        render(random_scene(seed), side_pose(7.0 * seed), K + seed, HEIGHT, WIDTH, **view)
        compiled.append(render._cache_size())  # pyright: ignore[reportAttributeAccessIssue]
    assert compiled[0] == compiled[2]


@pytest.mark.parametrize(("height", "width", "samples"), [(1, 1, 2), (131, 127, 1)])
def test_any_size(height: int, width: int, samples: int):
    """The largest does not divide into blocks of rays."""
    pose, intrinsics = default_view(height, width)
    view = render(random_scene(0), pose, intrinsics, height, width, samples=samples)
    assert view.picture.shape == (height, width, 3) and view.depth.shape == (height, width)
    assert np.isfinite(view.picture).all() and np.asarray(view.depth).min() > 0.5


def test_float64_agrees_with_float32():
    scene = random_scene(5)
    single = render(scene, POSE, K, HEIGHT, WIDTH)
    with jax.enable_x64(True):
        double = render(scene, jnp.asarray(POSE, jnp.float64), jnp.asarray(K, jnp.float64), HEIGHT, WIDTH)
        assert double.depth.dtype == jnp.float64
        for a, b in zip(jax.tree.leaves(scene), jax.tree.leaves(random_scene(5)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)
    close = np.isclose(single.depth, double.depth, rtol=1e-5)
    assert close.mean() > 0.999  # a pixel on an outline may see another surface
    assert np.mean(np.abs(np.asarray(single.picture) - np.asarray(double.picture))) < 1e-3


def test_errors_say_what_to_do():
    with pytest.raises(InputError, match="at least 1 row, column and sample"):
        render(random_scene(0), POSE, K, 8, 8, samples=0)
