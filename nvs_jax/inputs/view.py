"""A photo file and its depth file as the arrays of a given view, at a size the model takes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.geometry import disparity_to_depth, intrinsics_matrix
from nvs_jax.geometry.depth_alignment import align_video
from nvs_jax.geometry.scene_scale import centred, disparity_to_scene
from nvs_jax.inputs.placing import plan_view
from nvs_jax.media import (
    Placement,
    as_float,
    check_shape,
    exif_focal,
    fit,
    fit_depth,
    match_depth,
    placement_of,
    read_depth,
    read_photo,
)
from nvs_jax.media.fitting import Bytes
from nvs_jax.media.geometry_file import PATCH, recorded_focal
from nvs_jax.media.photo import Picture
from nvs_jax.settings import CameraSettings, DepthKind, RenderSettings

PNG_SCALE = 1000.0
"""Steps a scene unit of a .png of depth, where nothing says another."""
FARTHEST = 1e12
"""In scene units; what a depth file says is farther counts as unknown."""
_CAMERA = CameraSettings()


@dataclass(frozen=True)
class View:
    """A given view.

    Attributes:
        picture: in [0, 1].
        depth: z of every pixel in scene units; infinite where unknown.
        intrinsics: K in pixels.
        fit: where the photo lies in the picture.
        photo_size: rows and columns of the photo.
        depth_kind: what the depth was made of; None where nothing says.
        estimated: whether a network estimated it.
        fps: frames a second of the video it is from; None where there is none, or it does not say.
        focal_of: the file beside the photo that its focal length is from; None: the settings, or the scene.
        depth_size: rows and columns of the depth map in its file; None where it is of none.
    """

    picture: Float[np.ndarray, "H W 3"]
    depth: Float[np.ndarray, "H W"]
    intrinsics: Float[np.ndarray, "3 3"]
    fit: Placement
    photo_size: tuple[int, int]
    depth_kind: DepthKind | None = None
    estimated: bool = False
    fps: float | None = None
    focal_of: Path | None = None
    depth_size: tuple[int, int] | None = None


class FittedDepth(NamedTuple):
    """A depth map laid into the output as its photo is.

    Attributes:
        values: in the map's own unit.
        size: rows and columns that the map has in its file; None: it is an estimate.
    """

    values: Float[np.ndarray, "H W"]
    size: tuple[int, int] | None


@dataclass(frozen=True)
class DepthFile:
    """Where depth comes from, and what its numbers mean.

    Attributes:
        path: what `nvs_jax.media.read_depth` reads.
        kind: depth in scene units, or disparity.
        png_scale: of a .png, stored values a scene unit.
        index: which map of a file of several.
    """

    path: Path
    kind: DepthKind
    png_scale: float = PNG_SCALE
    index: int | None = None


@dataclass(frozen=True)
class EstimatedDepth:
    """Depth that a network makes of the pictures.

    Attributes:
        estimate: maps [n, H, W] of pictures [n, H, W, 3] in [0, 1].
        kind: of the maps: depth in some unit, or disparity of unknown scale and shift.
    """

    estimate: Callable[[np.ndarray], np.ndarray]
    kind: DepthKind


DepthSource = DepthFile | EstimatedDepth


def given_view(
    picture: Float[np.ndarray, "..."],
    depth: Float[np.ndarray, "H W"],
    intrinsics: Float[Array, "3 3"] | Float[np.ndarray, "3 3"] | None = None,
    camera: CameraSettings = _CAMERA,
) -> View:
    """A view of arrays that need no fitting.

    Args:
        picture: [H, W, 3] in [0, 1], at a size the model takes.
        depth: z of every pixel in scene units; infinite where unknown.
        intrinsics: K in pixels; None: by `camera`.
        camera: its focal length and principal point are used where there is no K.

    Raises:
        InputError: no pictures of colours.
    """
    if picture.ndim != 3 or picture.shape[-1] != 3:
        raise InputError(f"the photo is {'x'.join(map(str, picture.shape))}: it must be rows x columns x 3")
    height, width = size = (picture.shape[0], picture.shape[1])
    if intrinsics is None:
        intrinsics = intrinsics_matrix(camera.focal_over_width * width, height, width, camera.principal)
    return View(picture, depth, np.asarray(intrinsics), placement_of(size, height, width, "resize"), size)


def read_view(photo: Path, depth: DepthSource, settings: RenderSettings, multiple: int) -> View:
    """Read and fit a photo and its depth.

    Args:
        photo: any common picture format; EXIF rotation is honoured.
        depth: of the same picture, at any resolution, or what estimates it.
        settings: picture and camera are used.
        multiple: rows and columns of the result are multiples of this.

    Raises:
        InputError: a file that cannot be read or used, or a size the model cannot take.
    """
    settings, source = with_focal_of_depth(depth, with_recorded_focal(photo, settings))
    return replace(fit_view(read_photo(photo), depth, settings, multiple), focal_of=source)


def with_recorded_focal(photo: Path, settings: RenderSettings) -> RenderSettings:
    """Settings with the focal length that the photo's file records, where they ask for it.

    Raises:
        InputError: it records none.
    """
    camera = settings.camera
    if not camera.exif:
        return settings
    focal = exif_focal(photo)
    if focal is None:
        raise InputError(f"{photo} does not record its focal length: give --camera.fov or --camera.focal")
    return replace(settings, camera=replace(camera, focal=focal, fov=None))


def with_focal_of_depth(depth: DepthSource, settings: RenderSettings) -> tuple[RenderSettings, Path | None]:
    """Settings with the focal length that lies in or beside a file of depth, where nobody says another, and that file.

    Raises:
        InputError: it is damaged, or none.
    """
    camera = settings.camera
    if camera.exif or camera.focal_is_given or not isinstance(depth, DepthFile):
        return settings, None
    focal, source = recorded_focal(depth.path)
    if focal is None:
        return settings, None
    return replace(settings, camera=replace(camera, focal=focal)), source


def fit_view(photo: Float[np.ndarray, "h w 3"], depth: DepthSource, settings: RenderSettings, multiple: int) -> View:
    """Fit a photo in memory, and its depth; see `read_view`."""
    size = (photo.shape[0], photo.shape[1])
    plan, intrinsics = plan_view(size, settings, multiple)
    fitted = fitted_depth(depth, photo, plan)
    values = scene_depth(fitted.values[None], depth, settings)[0]
    picture, estimated = fit(photo, plan.height, plan.width, plan.how)[0], isinstance(depth, EstimatedDepth)
    return View(picture, values, intrinsics, plan, size, depth.kind, estimated, depth_size=fitted.size)


def fitted_depth(depth: DepthSource, photo: Picture | Bytes, plan: Placement) -> FittedDepth:
    """A map in its own unit, laid into the output as its photo is.

    Raises:
        InputError: a file that cannot be read, or has not the photo's shape; an estimate that is not finite.
    """
    if isinstance(depth, EstimatedDepth):
        values = depth.estimate(as_float(photo)[None])[0]
        if not np.isfinite(values).all():
            raise InputError("the depth network's estimate is not finite: give depth maps with --depth")
        return FittedDepth(fit_depth(values, plan, depth.kind), None)
    values = read_depth(depth.path, depth.kind, png_scale=depth.png_scale, index=depth.index)
    return placed_depth(values, depth, photo, plan)


def placed_depth(
    values: Float[np.ndarray, "h w"], depth: DepthFile, photo: Picture | Bytes, plan: Placement
) -> FittedDepth:
    """A file's map in its own unit, laid into the output as its photo is.

    Raises:
        InputError: it has not the photo's shape.
    """
    if plan.how == "resize":  # in one go and whatever its shape, as the release
        stretched = match_depth(values, (plan.height, plan.width), name=str(depth.path), tolerance=None)
        return FittedDepth(stretched, (values.shape[0], values.shape[1]))
    # The maps of a geometry model have sides that were rounded to multiples of its patches.
    tolerance = 0.01 if depth.index is None else max(0.01, PATCH / min(values.shape))
    check_shape(values, photo.shape, name=str(depth.path), tolerance=tolerance)
    size, resolution = (photo.shape[0], photo.shape[1]), (values.shape[0], values.shape[1])
    return FittedDepth(fit_depth(values, plan.of_resolution(size, resolution), depth.kind), resolution)


def scene_depth(
    values: Float[np.ndarray, "f H W"], depth: DepthSource, settings: RenderSettings
) -> Float[np.ndarray, "f H W"]:
    """Depth in scene units of a video's maps, or of one; infinite where unknown.

    A file of depth is in scene units already. An estimate is in metres at best, so it is scaled like disparity, to have
    the path's point of interest in the middle of the picture, unless `camera.keep_units` says that the path is in
    metres.

    Args:
        values: in the unit of the files or of the estimator.
        depth: where they come from.
        settings: camera and path are used.

    Raises:
        InputError: depth that is unknown everywhere.
    """
    camera, distance = settings.camera, settings.path.distance
    known = (values > 0) & (values < FARTHEST)
    if depth.kind == "depth":
        if not known.any():
            raise InputError(f"no depth is known: all of it is 0, which says unknown, or beyond {FARTHEST:g}")
        # 0 is how depth files say unknown; so are numbers near the largest there are.
        maps = np.where(known, values, np.inf).astype(np.float32, copy=False)
        if isinstance(depth, EstimatedDepth) and not camera.keep_units:
            maps = np.asarray(centred(jnp.asarray(maps), distance, camera.disparity.centre))
        return maps
    if camera.disparity.rule == "release":
        if isinstance(depth, EstimatedDepth):  # the release's numbers are for maps of 8 bits
            low, high = values.min(), values.max()
            values = np.float32(255) * (values - low) / max(high - low, np.finfo(np.float32).tiny)
        return np.asarray(disparity_to_depth(jnp.asarray(values), camera.far, camera.disparity_scale))
    maps = jnp.asarray(np.minimum(values, np.float32(FARTHEST)))
    if len(maps) > 1 and camera.disparity.align:
        maps = align_video(maps)
    return np.asarray(disparity_to_scene(maps, distance, camera.disparity))
