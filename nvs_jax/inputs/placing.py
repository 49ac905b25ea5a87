"""How large the video of a photo is, where the photo lies in it, and what its camera is then."""

import math

import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.geometry import intrinsics_matrix
from nvs_jax.media import Placement, allowed_size, placement_of
from nvs_jax.media.cameras.views import from_corner
from nvs_jax.settings import CameraSettings, PictureSettings, RenderSettings


def plan_view(
    size: tuple[int, int], settings: RenderSettings, multiple: int
) -> tuple[Placement, Float[np.ndarray, "3 3"]]:
    """Where a photo of `size`, rows and columns, lies in the result, and K of the result's camera in pixels.

    Raises:
        InputError: a size that the model cannot take.
    """
    height, width = output_size(size, settings.picture, multiple)
    plan = placement_of(size, height, width, settings.picture.fit)
    return plan, _intrinsics(size, plan, settings.camera)


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


def _intrinsics(size: tuple[int, int], plan: Placement, camera: CameraSettings) -> Float[np.ndarray, "3 3"]:
    """K of the photo taken along; where it is stretched, the camera is taken to be the result's, as the release."""
    focal, principal = camera.focal_over_width, camera.principal
    if plan.how == "resize":
        return np.asarray(intrinsics_matrix(focal * plan.width, plan.height, plan.width, principal))
    # A fit counts from the picture's corner, where the middle is (w / 2, h / 2).
    fitted = plan.intrinsics(np.asarray(intrinsics_matrix(focal * size[1], size[0], size[1], "release")))
    return from_corner(fitted) if principal == "middle" else fitted
