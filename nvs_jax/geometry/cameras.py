"""Pinhole cameras: intrinsics, poses, and points carried between pixels and space.

Poses are 4x4 world-to-camera; camera axes are OpenCV's (x right, y down, z forward). Pixel (x, y) is the centre of
column x, row y, counted from 0. Matrix products ask for full precision: the default of some accelerators keeps eight
bits, which is several pixels.
"""

import jax.numpy as jnp
from jax import lax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, ScalarLike, Shaped

from nvs_jax.settings import Principal

Vector = Float[Array, "3"]
Matrix = Float[Array, "3 3"]
Pose = Float[Array, "4 4"]
Point = Shaped[ArrayLike, "3"] | tuple[ScalarLike, ScalarLike, ScalarLike]

_RELEASE_FOCAL_PER_WIDTH = 260 / 1024


def intrinsics_matrix(focal: ScalarLike, height: int, width: int, principal: Principal = "middle") -> Matrix:
    """Intrinsics K of square pixels with the principal point in the middle of the picture.

    Args:
        focal: focal length in pixels.
        height: rows of the picture.
        width: columns of the picture.
        principal: "middle" is ((width - 1) / 2, (height - 1) / 2), as (0, 0) is the centre of the first pixel;
            "release" is (width / 2, height / 2), half a pixel right of and below it.

    >>> intrinsics_matrix(260, 576, 1024)[:2, 2].tolist()
    [511.5, 287.5]
    """
    focal = as_float(focal)
    zero, one = jnp.zeros_like(focal), jnp.ones_like(focal)
    to_centre = 0.5 if principal == "middle" else 0.0
    x, y = width / 2 - to_centre, height / 2 - to_centre
    return jnp.array(((focal, zero, one * x), (zero, focal, one * y), (zero, zero, one)))


def release_intrinsics(height: int, width: int) -> Matrix:
    """The release's K for a picture of unknown camera: a focal length of 260 at a width of 1024, scaled with it.

    Its principal point is (width / 2, height / 2), which is half a pixel off the middle.
    """
    return intrinsics_matrix(_RELEASE_FOCAL_PER_WIDTH * width, height, width, "release")


def scale_intrinsics(intrinsics: Matrix, scale_x: ScalarLike, scale_y: ScalarLike) -> Matrix:
    """K after the picture was resized: first row times `scale_x`, second times `scale_y`, as the release."""
    return intrinsics * jnp.stack([as_float(scale_x), as_float(scale_y), jnp.ones(())])[:, None]


def look_at(position: Point, target: Point) -> Pose:
    """World-to-camera pose of a camera at `position` that looks at `target`.

    As the release, with up = world +y: the camera's y, along which rows grow, is the direction nearest to world +y,
    so world +y is *down* in the picture. Not defined where the camera looks straight along y.
    """
    position, target = as_float(position), as_float(target)
    forward = unit(target - position)
    right = unit(jnp.cross(jnp.array([0.0, 1.0, 0.0], forward.dtype), forward))
    rotation = jnp.stack([right, jnp.cross(forward, right), forward])
    return pose_matrix(rotation, -apply(rotation, position))


def pose_matrix(rotation: Matrix, translation: Vector) -> Pose:
    """[R t; 0 1]."""
    top = jnp.concatenate([rotation, translation[:, None]], axis=1)
    return jnp.concatenate([top, jnp.array([[0.0, 0.0, 0.0, 1.0]], top.dtype)])


def relative_pose(source: Pose, target: Pose) -> Pose:
    """`target source^-1`: takes points from the source camera's axes to the target camera's.

    The inverse is of the matrix as it is, so that poses written with few digits, whose rotation is not quite one,
    still give the identity between themselves.
    """
    inverse = invert(source[:3, :3])
    rotation = jnp.matmul(target[:3, :3], inverse, precision=lax.Precision.HIGHEST)
    return pose_matrix(rotation, target[:3, 3] - apply(rotation, source[:3, 3]))


def unproject(depth: Float[Array, "h w"], intrinsics: Matrix) -> Float[Array, "h w 3"]:
    """The point seen at every pixel, in the camera's axes: D K^-1 (x, y, 1)."""
    height, width = depth.shape
    x, y = jnp.meshgrid(jnp.arange(width, dtype=depth.dtype), jnp.arange(height, dtype=depth.dtype))
    rays = apply(invert(intrinsics), jnp.stack([x, y, jnp.ones_like(x)], -1))
    return depth[..., None] * rays


def project(
    points: Float[Array, "*n 3"], intrinsics: Matrix, smallest_depth: float = 1e-6
) -> tuple[Float[Array, "*n 2"], Float[Array, "*n"]]:
    """Pixel positions (x, y) and depths of points in the camera's axes.

    Points behind the camera have a negative depth and appear mirrored, as in the release. Points within
    `smallest_depth` of the camera's plane have no position: theirs is computed at that depth instead, so that
    neither values nor gradients become infinite.
    """
    homogeneous = apply(intrinsics, points)
    depth = homogeneous[..., 2]
    divisor = jnp.where(jnp.abs(depth) < smallest_depth, smallest_depth, depth)
    return homogeneous[..., :2] / divisor[..., None], depth


def transform(pose: Pose, points: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """Points in the axes that `pose` leads to."""
    return apply(pose[:3, :3], points) + pose[:3, 3]


def apply(matrix: Matrix, vectors: Float[Array, "*n 3"]) -> Float[Array, "*n 3"]:
    """`matrix` times each vector.

    Written out, for a matrix product this narrow neither fuses nor fills a processor (12 times slower on a CPU).
    """
    x, y, z = jnp.moveaxis(vectors, -1, 0)
    return jnp.stack([row[0] * x + row[1] * y + row[2] * z for row in matrix], axis=-1)


def invert(matrix: Matrix) -> Matrix:
    """Inverse of a 3x3 matrix from cross products of its rows: closed, differentiable, cheap in a batch."""
    a, b, c = matrix
    adjugate = jnp.stack([jnp.cross(b, c), jnp.cross(c, a), jnp.cross(a, b)], axis=1)
    return adjugate / jnp.sum(a * jnp.cross(b, c))


def unit(vector: Vector) -> Vector:
    """The vector divided by its length."""
    return vector / jnp.linalg.norm(vector)


def length(vectors: Float[Array, "*n 3"]) -> Float[Array, "*n"]:
    """Of each vector; at 0 its gradient is 0, where that of a plain norm is NaN.

    >>> import jax
    >>> jax.grad(lambda v: length(v).sum())(jnp.array([[0.0, 0.0, 0.0], [0.0, 3.0, 4.0]])).tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.6..., 0.8...]]
    """
    square = jnp.sum(vectors**2, axis=-1)
    return jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1.0)), 0.0)


def zoom_intrinsics(intrinsics: Matrix, focal: Float[Array, "f"]) -> Float[Array, "f 3 3"]:
    """K of every frame while the focal length is multiplied by `focal`; the principal point stays."""
    return jnp.ones((*focal.shape, 3, 3)).at[:, :2, :2].set(focal[:, None, None]) * intrinsics


def as_float(x: ScalarLike | Point) -> Float[Array, "*n"]:
    """`x` as floating point: float32, or float64 where the x64 mode of JAX is on."""
    x = jnp.asarray(x)
    return x.astype(jnp.promote_types(x.dtype, jnp.result_type(float)))
