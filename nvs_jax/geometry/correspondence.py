"""Which pixels of a path's frames show the same surface, what its holes are guessed to show included."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from nvs_jax.geometry.cameras import Matrix, project, relative_pose, transform, unproject
from nvs_jax.geometry.depth_completion import complete_depth, splat_depth
from nvs_jax.pytree import pytree
from nvs_jax.settings import WarpSettings

_SAME_SURFACE = 0.05
"""Relative difference of depths that still counts as one surface."""


@pytree
class SeenDepth:
    """Depth of every frame of a path, in its holes that of the background around them.

    Attributes:
        depth: z in each frame's camera, in scene units.
        intrinsics: K of each frame.
        poses: world-to-camera.
    """

    depth: Float[Array, "f h w"]
    intrinsics: Float[Array, "f 3 3"]
    poses: Float[Array, "f 4 4"]

    def cells(self, side: int, step: int) -> "SeenDepth":
        """Every `step`-th frame, and of every `side` by `side` pixels the middle one, with the cameras of these."""
        middle = side // 2
        to_cells = jnp.array([[1 / side, 0, -middle / side], [0, 1 / side, -middle / side], [0, 0, 1.0]])
        depth = self.depth[::step, middle::side, middle::side]
        lenses = jnp.matmul(to_cells, self.intrinsics[::step], precision=lax.Precision.HIGHEST)
        return SeenDepth(depth, lenses, self.poses[::step])


@partial(jax.jit, static_argnames="settings")
def seen_depth(
    depth: Float[Array, "h w"],
    intrinsics: Float[Array, "f 3 3"],
    poses: Float[Array, "f 4 4"],
    settings: WarpSettings,
) -> SeenDepth:
    """Depth of the first frame carried along a path, and its holes filled with background.

    Args:
        depth: z of every pixel of the first frame; infinite where unknown.
        intrinsics: K of each frame.
        poses: world-to-camera, the first one that of `depth`.
        settings: of the warp.
    """

    def one(frame: tuple[Matrix, Float[Array, "4 4"]]) -> Float[Array, "h w"]:
        lens, pose = frame
        return complete_depth(*splat_depth(depth, intrinsics[0], poses[0], pose, settings, lens))

    return SeenDepth(lax.map(one, (intrinsics, poses)), intrinsics, poses)


@jax.jit
def correspondence(seen: SeenDepth) -> tuple[Int[Array, "f f h w"], Bool[Array, "f f h w"]]:
    """Of every pixel of every frame i, the pixel of every frame j that shows the same surface.

    Returns:
        Its number among all f h w of them, and whether there is one: in the picture, and not behind something else.
    """
    frames, height, width = seen.depth.shape

    def one(i: Int[Array, ""], j: Int[Array, ""]) -> tuple[Int[Array, "h w"], Bool[Array, "h w"]]:
        points = unproject(seen.depth[i], seen.intrinsics[i])
        points = transform(relative_pose(seen.poses[i], seen.poses[j]), points)
        position, z = project(points, seen.intrinsics[j])
        at = jnp.round(position)
        inside = (z > 0) & (at >= 0).all(-1) & (at <= jnp.array([width - 1, height - 1])).all(-1)
        column, row = (jnp.where(inside, at[..., axis], 0).astype(jnp.int32) for axis in (0, 1))
        there = seen.depth[j, row, column]
        same = inside & (jnp.abs(z - there) <= _SAME_SURFACE * there)
        return (j * height + row) * width + column, same | ((i == j) & jnp.ones_like(same))

    every = jnp.arange(frames)
    return lax.map(lambda i: jax.vmap(one, (None, 0))(i, every), every)
