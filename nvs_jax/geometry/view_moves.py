"""Motions of a given view, wherever it stands: poses [F,4,4] whose first is the one given.

They need no origin, only the distance of what the camera looks at. Directions are the given camera's own: x right,
y down, z forward. `frames` is static; everything else may be traced and differentiated.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, ScalarLike

from nvs_jax.geometry.cameras import Matrix, Point, Pose, as_float, look_at, zoom_intrinsics
from nvs_jax.geometry.trajectories import Poses, path_fractions, relative_to


class DollyZoom(NamedTuple):
    """A camera that moves while it zooms.

    Attributes:
        poses: world-to-camera.
        focal: by which each frame's focal length is multiplied; 1 for the first.
    """

    poses: Poses
    focal: Float[Array, "f"]

    def intrinsics(self, first: Matrix) -> Float[Array, "f 3 3"]:
        """K of every frame, from that of the first; the principal point stays."""
        return zoom_intrinsics(first, self.focal)


@partial(jax.jit, static_argnames="frames")
def spiral(start: Pose, reach: Point, distance: ScalarLike, frames: int, turns: ScalarLike = 2.0) -> Poses:
    """Winds out from the given view, looking at a point ahead of it: LLFF's spiral with a growing radius.

    With u from 0 at the first frame to 1 at the last and a = 2 pi turns u, the camera stands at
    u (rx cos a, ry sin a, rz sin(a / 2)) from where it began.

    Args:
        start: the given view.
        reach: (rx, ry, rz), how far it gets to the side, down and forward, in scene units.
        distance: of the point looked at, in scene units, more than rz.
        frames: how many poses.
        turns: how often it goes round.

    Raises:
        InputError: `frames` is less than 1.
    """
    u = path_fractions(frames)
    angle = 2 * jnp.pi * as_float(turns) * u
    waves = jnp.stack([jnp.cos(angle), jnp.sin(angle), jnp.sin(angle / 2)], axis=-1)
    return _looking_ahead(start, u[:, None] * waves * as_float(reach), distance)


@partial(jax.jit, static_argnames="frames")
def figure_of_eight(start: Pose, reach_x: ScalarLike, reach_y: ScalarLike, distance: ScalarLike, frames: int) -> Poses:
    """A lying eight (a Lissajous figure) about the given view, looking at a point ahead; it ends where it began.

    With a from 0 to 2 pi the camera stands at (reach_x sin a, reach_y sin 2a, 0) from where it began.

    Args:
        start: the given view.
        reach_x: how far it gets to either side, in scene units.
        reach_y: how far it gets up and down.
        distance: of the point looked at, in scene units.
        frames: how many poses.

    Raises:
        InputError: `frames` is less than 1.
    """
    angle = 2 * jnp.pi * path_fractions(frames)
    offsets = (as_float(reach_x) * jnp.sin(angle), as_float(reach_y) * jnp.sin(2 * angle), jnp.zeros_like(angle))
    return _looking_ahead(start, jnp.stack(offsets, axis=-1), distance)


@partial(jax.jit, static_argnames="frames")
def dolly_zoom(start: Pose, distance: ScalarLike, travel: ScalarLike, frames: int) -> DollyZoom:
    """Moves along the view axis in equal steps while the focal length follows: what is `distance` away keeps its size.

    Args:
        start: the given view.
        distance: of what keeps its size, in scene units.
        travel: how far forward the last frame is, less than `distance`; negative goes back.
        frames: how many poses.

    Raises:
        InputError: `frames` is less than 1.

    >>> dolly_zoom(jnp.eye(4), distance=4.0, travel=-4.0, frames=3).focal.tolist()
    [1.0, 1.5, 2.0]
    """
    forward = as_float(travel) * path_fractions(frames)
    poses = jnp.broadcast_to(start, (frames, 4, 4)).at[:, 2, 3].add(-forward)
    return DollyZoom(poses, 1 - forward / as_float(distance))


def _looking_ahead(start: Pose, offsets: Float[Array, "f 3"], distance: ScalarLike) -> Poses:
    """Cameras at `offsets` in the axes of `start`, that look at the point `distance` ahead of it."""
    target = as_float(distance) * jnp.array([0.0, 0.0, 1.0])
    return relative_to(jax.vmap(lambda offset: look_at(offset, target))(offsets), start)
