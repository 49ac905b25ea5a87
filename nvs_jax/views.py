"""A photo file and its depth file as the arrays of a given view, at a size the model takes."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.geometry import disparity_to_depth, intrinsics_matrix, line, orbit
from nvs_jax.geometry.trajectories import Poses
from nvs_jax.media import Fit, allowed_size, fit, fit_depth, match_depth, read_depth, read_photo
from nvs_jax.settings import CameraSettings, PathSettings, PictureSettings, RenderSettings


@dataclass(frozen=True)
class View:
    """A given view.

    Attributes:
        picture: in [0, 1].
        depth: z of every pixel in scene units; infinite where unknown.
        intrinsics: K in pixels.
        fit: where the photo lies in the picture.
        photo_size: rows and columns of the photo.
    """

    picture: Float[np.ndarray, "H W 3"]
    depth: Float[np.ndarray, "H W"]
    intrinsics: Float[np.ndarray, "3 3"]
    fit: Fit
    photo_size: tuple[int, int]


@dataclass(frozen=True)
class DepthFile:
    """Where depth comes from, and what its numbers mean.

    Attributes:
        path: .npy, .npz, .pfm or 16-bit .png.
        kind: depth in scene units, or disparity.
        png_scale: of a .png, stored values a scene unit.
    """

    path: Path
    kind: Literal["depth", "disparity"]
    png_scale: float = 1000.0


def read_view(photo: Path, depth_file: DepthFile, settings: RenderSettings, multiple: int) -> View:
    """Read and fit a photo and its depth.

    Args:
        photo: any common picture format; EXIF rotation is honoured.
        depth_file: of the same picture, at any resolution.
        settings: picture and camera are used.
        multiple: rows and columns of the result are multiples of this.

    Raises:
        InputError: a file that cannot be read or used, or a size the model cannot take.
    """
    picture = read_photo(photo)
    size = (picture.shape[0], picture.shape[1])
    depth = read_depth(depth_file.path, depth_file.kind, png_scale=depth_file.png_scale)
    depth = match_depth(depth, picture.shape, name=str(depth_file.path))
    height, width = output_size(size, settings.picture, multiple)
    fitted, plan = fit(picture, height, width, settings.picture.fit)
    return View(
        picture=fitted,
        depth=_scene_depth(fit_depth(depth, plan), depth_file.kind, settings.camera),
        intrinsics=_intrinsics(size, plan, settings.camera),
        fit=plan,
        photo_size=size,
    )


def output_size(size: tuple[int, int], settings: PictureSettings, multiple: int) -> tuple[int, int]:
    """Rows and columns of the video made of a photo of `size`.

    >>> output_size((3000, 4000), PictureSettings(), 64)
    (640, 832)

    Raises:
        InputError: a size asked for is not a multiple of `multiple`.
    """
    if settings.size is None:
        shrink = min(1.0, math.sqrt(settings.max_pixels / (size[0] * size[1])))
        return allowed_size(round(size[0] * shrink), round(size[1] * shrink), multiple)
    height, width = settings.size
    if min(height, width) < 1 or height % multiple or width % multiple:
        raise InputError(f"a size of {height}x{width} does not fit this model: use multiples of {multiple}")
    return height, width


def camera_path(settings: PathSettings, frames: int) -> Poses:
    """The poses the settings describe; `frames` where they leave the length open."""
    frames = frames if settings.frames is None else settings.frames
    if settings.kind == "orbit":
        x, z = settings.radius
        return orbit(x, z, settings.step_degrees, frames, settings.inverse)
    return line(settings.start, jnp.array(settings.end), frames)


def _scene_depth(values: np.ndarray, kind: str, camera: CameraSettings) -> Float[np.ndarray, "H W"]:
    if kind == "disparity":
        return np.asarray(disparity_to_depth(jnp.asarray(values), camera.far, camera.disparity_scale))
    return np.where(values > 0, values, np.inf).astype(np.float32)  # 0 is how depth files say unknown


def _intrinsics(size: tuple[int, int], plan: Fit, camera: CameraSettings) -> Float[np.ndarray, "3 3"]:
    """K of the photo taken along; where it is stretched, the camera is taken to be the result's, as the release."""
    if plan.how == "resize":
        return np.asarray(intrinsics_matrix(camera.focal * plan.width, plan.height, plan.width))
    return plan.intrinsics(np.asarray(intrinsics_matrix(camera.focal * size[1], size[0], size[1])))
