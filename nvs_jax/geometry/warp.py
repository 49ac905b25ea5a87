"""A picture with depth, seen from other poses: x_t ~ K T_t T_s^-1 (D K^-1 x_s), equation (9), by forward splat."""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.errors import InputError
from nvs_jax.geometry.blocks import in_blocks
from nvs_jax.geometry.cameras import Matrix, Pose, project, relative_pose, transform, unproject
from nvs_jax.geometry.masks import dilate, smallest_around
from nvs_jax.geometry.soft_splat import soft_splat
from nvs_jax.geometry.splat import (
    accumulate,
    bilinear_taps,
    depth_exponent,
    depth_weight,
    only_nearest,
    reference_taps,
    weigh_by_relative_depth,
    weighted_mean,
)
from nvs_jax.geometry.surface_warp import SurfaceSource, surface_source, surface_warp, transfer
from nvs_jax.geometry.surfaces import firmness, known_inverse, tears
from nvs_jax.pytree import pytree
from nvs_jax.settings import WarpSettings

_DEFAULT = WarpSettings()
_FLOAT32_SHARPNESS = 80.0  # weights of a greater one are 0 in float32, and are taken relative to the nearest point's


@pytree
class Warp:
    """Pictures warped to F poses.

    Attributes:
        pictures: after the splat, in [0,1]; black where nothing fell. Rounded to 8 bits if so set.
        valid: pixels whose colour can be trusted.
        hole: pixels that are not, grown by the dilation.
        visible: of the splat soft: how surely each pixel is seen, in [0, 1], shrunk as holes grow. `valid` and `hole`
            are then what is seen by more than half, and not.
    """

    pictures: Float[Array, "*f h w 3"]
    valid: Bool[Array, "*f h w"]
    hole: Bool[Array, "*f h w"]
    visible: Float[Array, "*f h w"] | None = None

    @property
    def unseen(self) -> Bool[Array, "*f h w"] | Float[Array, "*f h w"]:
        """How little is known of each pixel: `hole`, or of the splat soft 1 - `visible`."""
        return self.hole if self.visible is None else 1 - self.visible

    @property
    def condition(self) -> Float[Array, "*f h w 3"]:
        """The pictures with their holes black: what guides the video model."""
        if self.visible is not None:
            return self.visible[..., None] * self.pictures
        return jnp.where(self.hole[..., None], 0, self.pictures)


def nothing_known(frames: int, height: int, width: int) -> Warp:
    """Warps of which every pixel is a hole."""
    nowhere = jnp.zeros((frames, height, width), bool)
    return Warp(jnp.zeros((frames, height, width, 3)), valid=nowhere, hole=~nowhere)


@partial(jax.jit, static_argnames="settings")
def forward_warp(
    picture: Float[Array, "*picture_size 3"],
    depth: Float[Array, "*depth_size"],
    intrinsics: Matrix,
    source_pose: Float[Array, "*view 4 4"],
    target_poses: Float[Array, "f 4 4"],
    settings: WarpSettings = _DEFAULT,
    target_intrinsics: Float[Array, "*lens 3 3"] | None = None,
) -> Warp:
    """Warp one picture, or one picture per frame, to every target pose.

    Differentiable in picture, depth, poses and intrinsics if `settings.quantize` is off. Pictures, depths and poses
    are arguments of one compiled program per size. Picture and depth, and likewise the source pose, are the same for
    all frames, or have a leading axis of F (a video: its frame i is warped to pose i).

    Args:
        picture: [H,W,3] or [F,H,W,3] in [0,1].
        depth: [H,W] or [F,H,W], z in the source camera, in the units of the poses. A pixel whose depth is not finite
            is left out; where surfaces are told apart (`max_tilt`, or the splat surface) specks of them are filled.
        intrinsics: K of the source, and of the target unless `target_intrinsics` is given.
        source_pose: [4,4] or [F,4,4], world-to-camera, of the picture.
        target_poses: [F,4,4], world-to-camera.
        settings: the splat and its masks.
        target_intrinsics: K of the target, if another: [3,3], or [F,3,3] where the camera zooms.

    Raises:
        InputError: sizes or numbers of frames do not fit together.
    """
    if target_intrinsics is None:
        target_intrinsics = intrinsics
    matrices = {"source_pose": (source_pose, 2), "target_intrinsics": (target_intrinsics, 2)}
    _check(target_poses.shape[0], picture=(picture, 3), depth=(depth, 2), **matrices)
    if picture.shape[:-1] != depth.shape:
        sizes = ("x".join(map(str, shape)) for shape in (picture.shape[:-1], depth.shape))
        raise InputError("the picture is {}, its depth {}: resize one of them".format(*sizes))
    relative = jax.vmap(relative_pose, (0 if source_pose.ndim == 3 else None, 0))(source_pose, target_poses)
    lens, zooming = _split(target_intrinsics=(target_intrinsics, 2))
    view = partial(_view, intrinsics=intrinsics, settings=settings, **lens)
    _, framed = _split(picture=(picture, 3), depth=(depth, 2))
    to_target = {"relative": relative} | zooming
    if not framed:
        return _each_frame(partial(view, _prepare(picture, depth, intrinsics, settings)), to_target)

    def one(picture: Array = picture, depth: Array = depth, **to_target: Array) -> Warp:
        return view(_prepare(picture, depth, intrinsics, settings), **to_target)

    return _each_frame(one, framed | to_target)


def warp_one(
    picture: Float[Array, "h w 3"],
    depth: Float[Array, "h w"],
    intrinsics: Matrix,
    source_pose: Pose,
    target_pose: Pose,
    settings: WarpSettings,
    target_intrinsics: Matrix | None = None,
) -> Warp:
    """Warp a picture to one pose. See `forward_warp`."""
    source = _prepare(picture, depth, intrinsics, settings)
    relative = relative_pose(source_pose, target_pose)
    return _view(source, relative, intrinsics, intrinsics if target_intrinsics is None else target_intrinsics, settings)


class _Points(NamedTuple):
    """What the forward splats start from: pixels (channels first), and which of them to use."""

    colour: Float[Array, "3 n"]
    depth: Float[Array, "h w"]
    used: Bool[Array, "h w"]
    firm: Float[Array, "h w"] | None


def _prepare(picture: Array, depth: Array, intrinsics: Matrix, settings: WarpSettings) -> _Points | SurfaceSource:
    """What does not depend on the target's pose: done once for all frames that share a source."""
    if settings.splat == "surface":
        return surface_source(picture, depth, intrinsics, settings.max_tilt)
    if settings.max_tilt is not None:
        inverse = known_inverse(depth, intrinsics, settings.max_tilt)
        filled = ~(jnp.isfinite(depth) & (depth > 0)) & (inverse > 0)
        depth = jnp.where(filled, 1 / jnp.where(filled, inverse, 1), depth)
    used, firm = jnp.isfinite(depth), None
    depth = jnp.where(used, depth, 1)
    if settings.splat == "soft":
        firm = used.astype(depth.dtype)
        if settings.max_tilt is not None:
            firm = firmness(inverse, intrinsics, settings.max_tilt)
    elif settings.max_tilt is not None:
        used &= ~tears(inverse, intrinsics, settings.max_tilt)
    return _Points(picture.reshape(-1, 3).T, depth, used, firm)


def _view(
    source: _Points | SurfaceSource,
    relative: Pose,
    intrinsics: Matrix,
    target_intrinsics: Matrix,
    settings: WarpSettings,
) -> Warp:
    """The prepared source from one relative pose."""
    if isinstance(source, SurfaceSource):
        to_target = transfer(relative, intrinsics, target_intrinsics)
        warped, valid = surface_warp(source, to_target, settings.depth_tolerance)
    elif source.firm is not None:
        return _soft(source, source.firm, relative, intrinsics, target_intrinsics, settings)
    else:
        warped, valid = _splat(source, relative, intrinsics, target_intrinsics, settings)
    if settings.quantize:
        warped = jnp.round(warped * 255) / 255
    return Warp(pictures=jnp.moveaxis(warped, 0, -1), valid=valid, hole=dilate(~valid, settings.dilation))


def _soft(
    points: _Points,
    firm: Float[Array, "h w"],
    relative: Pose,
    intrinsics: Matrix,
    target_intrinsics: Matrix,
    settings: WarpSettings,
) -> Warp:
    """No rounding to 8 bits, and what is behind the camera is always dropped."""
    position, z = _seen_there(points, relative, intrinsics, target_intrinsics)
    height, width = points.depth.shape
    taps = bilinear_taps(position, height, width)
    firm = jnp.where(z > 0, firm.reshape(-1), 0)
    view = soft_splat(points.colour, z, firm, taps, (height, width), settings.min_weight)
    visible = smallest_around(view.visible, settings.dilation)
    pictures = jnp.moveaxis(view.picture, 0, -1)
    return Warp(pictures=pictures, valid=view.visible > 0.5, hole=visible <= 0.5, visible=visible)


def _seen_there(
    points: _Points, relative: Pose, intrinsics: Matrix, target_intrinsics: Matrix
) -> tuple[Float[Array, "n 2"], Float[Array, "n"]]:
    """Position and depth of every pixel's point in the target camera."""
    points_there = transform(relative, unproject(points.depth, intrinsics))
    position, z = in_blocks(lambda points: project(points, target_intrinsics), points_there)
    return position.reshape(-1, 2), z.reshape(-1)


def _splat(
    points: _Points, relative: Pose, intrinsics: Matrix, target_intrinsics: Matrix, settings: WarpSettings
) -> tuple[Float[Array, "3 h w"], Bool[Array, "h w"]]:
    height, width = points.depth.shape
    position, z = _seen_there(points, relative, intrinsics, target_intrinsics)
    used = points.used.reshape(-1)
    if settings.drop_behind:
        used &= z > 0
    find_taps = reference_taps if settings.splat == "reference" else bilinear_taps
    taps = find_taps(position, height, width)
    if settings.splat == "zbuffer":
        taps = only_nearest(taps, z, used, settings.depth_tolerance, height, width)
        total, weight = accumulate(points.colour, taps, height, width)
        return weighted_mean(total, weight), weight > settings.min_weight
    z, log_scale = jnp.where(used, jnp.clip(z, 0, settings.depth_clip), 0), None
    if settings.sharpness <= _FLOAT32_SHARPNESS:
        taps = taps._replace(weight=taps.weight * (depth_weight(z, settings.sharpness) * used)[:, None])
    else:
        exponent = depth_exponent(z, settings.sharpness)
        taps, log_scale = weigh_by_relative_depth(taps, exponent, used, height, width)
    total, weight = accumulate(points.colour, taps, height, width)
    valid = weight > 0
    if settings.max_weight is not None:
        within = weight <= settings.max_weight
        if log_scale is not None:
            within = jnp.log(jnp.where(valid, weight, 1)) + log_scale <= math.log(settings.max_weight)
        valid &= within
    return weighted_mean(total, weight), valid


@jax.jit
def warp_flow(
    depth: Float[Array, "*source h w"],
    intrinsics: Matrix,
    source_pose: Float[Array, "*view 4 4"],
    target_poses: Float[Array, "f 4 4"],
    target_intrinsics: Matrix | None = None,
) -> Float[Array, "f h w 2"]:
    """How far (x, y) every source pixel moves in the picture, in pixels, for every target pose.

    Arguments and errors are those of `forward_warp`. Pixels whose depth is not finite move as if it were 1.
    """
    _check(target_poses.shape[0], depth=(depth, 2), source_pose=(source_pose, 2))
    height, width = depth.shape[-2:]
    grid = jnp.stack(jnp.meshgrid(jnp.arange(width), jnp.arange(height)), axis=-1)

    def one(depth: Array, source_pose: Array, target_pose: Array) -> Array:
        points = unproject(jnp.where(jnp.isfinite(depth), depth, 1), intrinsics)
        points = transform(relative_pose(source_pose, target_pose), points)
        return project(points, intrinsics if target_intrinsics is None else target_intrinsics)[0] - grid

    shared, framed = _split(depth=(depth, 2), source_pose=(source_pose, 2))
    return _each_frame(partial(one, **shared), framed | {"target_pose": target_poses})


def _each_frame(function: Callable[..., Any], framed: Mapping[str, Array]) -> Any:
    """`function` of every frame of `framed`, stacked: one frame after the other.

    A frame has points enough to fill a processor. All at once, a CPU takes 1.6 times as long, and a TPU program needs
    8.3 GiB for 24 frames of 576x1024 instead of 0.3.
    """
    return jax.lax.map(lambda frame: function(**frame), dict(framed))


def _split(**arrays: tuple[Array, int]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Arrays, given with their rank for one frame, as those all frames share and those with one entry a frame."""
    shared = {name: array for name, (array, rank) in arrays.items() if array.ndim == rank}
    framed = {name: array for name, (array, rank) in arrays.items() if array.ndim > rank}
    return shared, framed


def _check(frames: int, **arrays: tuple[Array, int]) -> None:
    for name, (array, rank) in arrays.items():
        if array.ndim not in (rank, rank + 1):
            raise InputError(f"{name} has {array.ndim} axes: give it {rank}, or {rank + 1} with one entry a frame")
        if array.ndim > rank and array.shape[0] != frames:
            raise InputError(
                f"{name} has {array.shape[0]} frames for {frames} target poses: give one a pose, or only one"
            )
