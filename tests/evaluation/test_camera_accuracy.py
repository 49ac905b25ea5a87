import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.evaluation.camera_accuracy import refine_poses, trajectory_errors
from nvs_jax.geometry.cameras import pose_matrix
from nvs_jax.geometry.rotations import rotation_matrix
from nvs_jax.scenes import default_view, random_scene, render_path

SIZE = (96, 128)


def moved(motions: np.ndarray) -> np.ndarray:
    """Poses of `default_view`'s camera moved in its own frame: rotation vector, translation."""
    pose = default_view(*SIZE)[0]
    steps = jax.vmap(lambda motion: pose_matrix(rotation_matrix(motion[:3]), motion[3:]))(jnp.asarray(motions))
    return np.asarray(jnp.matmul(steps, pose, precision="highest"))


@pytest.mark.full
def test_cameras_are_found_against_the_scene_though_a_part_of_the_frame_is_invented():
    rng = np.random.default_rng(0)
    true = moved(rng.normal(0, 1, (2, 6)).astype(np.float32) * ([0.006] * 3 + [0.025] * 3))
    begin = moved(np.zeros((2, 6), np.float32))
    scene, intrinsics = random_scene(40_000), default_view(*SIZE)[1]
    frames = np.array(render_path(scene, jnp.asarray(true), intrinsics, *SIZE, samples=2).picture)
    frames[:, :24, :40] = 0.3
    found = refine_poses(scene, jnp.asarray(frames), jnp.asarray(begin), intrinsics, jnp.float32(0))
    before, after = trajectory_errors(begin, true), trajectory_errors(np.asarray(found), true)
    assert after.ate < 0.5 * before.ate
    assert after.rpe_t < 0.5 * before.rpe_t
    assert after.rpe_r < 0.5 * before.rpe_r


def test_a_turn_and_a_shift_of_every_frame_are_told_apart():
    path = moved(np.array([[0, 0.1 * i, 0, 0, 0, 0.2 * i] for i in range(4)], np.float32)).astype(np.float64)
    shift = np.eye(4)
    shift[:3, 3] = 0, 0.3, 0.4  # of the world
    shifted = trajectory_errors(path @ shift, path)
    assert (shifted.ate, shifted.rpe_t, shifted.rpe_r) == pytest.approx((0.5, 0, 0), abs=1e-6)
    turns = moved(np.array([[0, 0, np.radians(2.0) * i, 0, 0, 0] for i in range(4)], np.float32)).astype(np.float64)
    still = np.broadcast_to(turns[0], turns.shape)
    # The camera turns by 2 degrees a frame in place, where it should stand still.
    errors = trajectory_errors(turns, still)
    assert (errors.ate, errors.rpe_t, errors.rpe_r) == pytest.approx((0, 0, 2), abs=1e-4)
