"""Do frames show the scene from where they should? Their cameras are recovered against the known scene.

The pose of a frame is the one from which the scene itself, rendered, matches the frame best: Gauss-Newton on the six
numbers of a rigid motion, from the true pose on, from coarse pictures to finer ones, with weights that fall for pixels
that match badly (what a model invents in holes says nothing about the camera). Poses farther from the truth than the
match reaches (a few pixels of the coarsest picture) come out too good: the errors are lower bounds.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.evaluation.problems import Truth
from nvs_jax.evaluation.trajectories import CameraErrors, trajectory_errors
from nvs_jax.geometry.cameras import Matrix, Pose, pose_matrix
from nvs_jax.geometry.rotations import rotation_matrix
from nvs_jax.scenes import Scene, render

LEVELS = (4, 2)
"""Pixels along each side of those that frames are made coarser to."""
ITERATIONS = 6
"""At each level."""
_STEP = np.array([0.003] * 3 + [0.012] * 3, np.float32)
"""Radians and scene units that move pictures about alike; motions are counted in them."""
_DOUBT = 0.1
"""A pixel off by this much, of 1, has half the weight of one that matches."""


def camera_errors(truth: Truth, frames: Float[np.ndarray, "f h w 3"], shading: float = 0.0) -> CameraErrors:
    """How far the cameras that `frames` seem to be taken from are from the true ones, in scene units; the orbit has a
    radius of 4. No alignment: the frame of reference is the scene's."""
    found = refine_poses(truth.scene, jnp.asarray(frames), truth.poses, truth.intrinsics, jnp.float32(shading))
    return trajectory_errors(np.asarray(found, np.float64), np.asarray(truth.poses, np.float64))


@jax.jit
def refine_poses(
    scene: Scene,
    frames: Float[Array, "f h w 3"],
    poses: Float[Array, "f 4 4"],
    intrinsics: Matrix,
    shading: Float[Array, ""],
) -> Float[Array, "f 4 4"]:
    """The poses from which the scene looks most like the frames, near the given ones.

    Args:
        scene: the known one.
        frames: in [0, 1].
        poses: where to begin, world-to-camera.
        intrinsics: K.
        shading: as the scene is rendered.
    """

    def one_frame(given: tuple[Array, Array]) -> Array:
        frame, pose = given
        for factor in LEVELS:
            pose = _refine(scene, *_coarser(frame, intrinsics, factor), pose, shading)
        return pose

    return jax.lax.map(one_frame, (frames, poses))


def _coarser(frame: Float[Array, "h w 3"], intrinsics: Matrix, factor: int) -> tuple[Array, Array]:
    """Means over squares of pixels, and the K that goes with them; pixel centres are whole numbers."""
    height, width = (side // factor for side in frame.shape[:2])
    squares = frame[: height * factor, : width * factor].reshape(height, factor, width, factor, 3)
    scaled = intrinsics.at[:2, :2].divide(factor).at[:2, 2].set((intrinsics[:2, 2] + 0.5) / factor - 0.5)
    return squares.mean((1, 3)), scaled


class _Match(NamedTuple):
    """A pose, how badly it matches, and what Gauss-Newton needs there."""

    pose: Pose
    cost: Float[Array, ""]
    normal: Float[Array, "6 6"]
    along: Float[Array, "6"]


def _refine(scene: Scene, frame: Array, intrinsics: Matrix, pose: Pose, shading: Array) -> Pose:
    """Levenberg-Marquardt: a step is taken where it makes the match better, else a smaller one is tried."""
    height, width = frame.shape[:2]
    # One program renders the pose and its neighbours: rendering is most of what there is to compile.
    around = jnp.concatenate([jnp.zeros((1, 6)), jnp.eye(6), -jnp.eye(6)])

    def match(pose: Pose) -> _Match:
        def difference(motion: Float[Array, "6"]) -> Float[Array, "n"]:
            near = _moved(pose, motion)
            seen = render(scene, near, intrinsics, height, width, samples=2, view_dependent=shading)
            return (seen.picture - frame).ravel()

        here, *ends = jnp.split(jax.vmap(difference)(around), [1, 7])
        here, slope = here[0], (ends[0] - ends[1]) / 2
        trust = 1 / (1 + jnp.square(here / _DOUBT))
        # The small constant keeps a frame without any structure where it is.
        normal = jnp.matmul(slope * trust, slope.T, precision="highest") + 1e-6 * jnp.eye(6)
        along = jnp.matmul(slope, trust * here, precision="highest")
        # What weighting by trust minimises.
        return _Match(pose, jnp.mean(jnp.log1p(jnp.square(here / _DOUBT))), normal, along)

    def body(carry: tuple[_Match, Array], _: None) -> tuple[tuple[_Match, Array], None]:
        best, damping = carry
        system = best.normal + jnp.diag(damping * jnp.diagonal(best.normal))
        tried = match(_moved(best.pose, -jnp.linalg.solve(system, best.along)))
        better = tried.cost < best.cost
        best = jax.tree.map(lambda new, old: jnp.where(better, new, old), tried, best)
        return (best, jnp.where(better, damping / 3, damping * 5)), None

    # The first step from nowhere stays where it is: no gradient, and any match is better than none.
    nowhere = _Match(pose, jnp.full((), jnp.inf), jnp.eye(6), jnp.zeros(6))
    return jax.lax.scan(body, (nowhere, jnp.float32(0.01)), length=ITERATIONS + 1)[0][0].pose


def _moved(pose: Pose, motion: Float[Array, "6"]) -> Pose:
    """The camera moved in its own frame, in units of `_STEP`."""
    motion = motion * _STEP
    step = pose_matrix(rotation_matrix(motion[:3]), motion[3:])
    return jnp.matmul(step, pose, precision="highest")
