"""The given views of a posed scene as arrays: pictures, cameras, and depth in the cameras' units."""

from collections.abc import Sequence
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from nvs_jax.errors import InputError
from nvs_jax.geometry import Sources
from nvs_jax.inputs.placing import output_size
from nvs_jax.inputs.posed_depth import NamedDepth, PosedDepth, depths_of
from nvs_jax.inputs.sparse_points import depth_by_points, in_picture, scaled_by_points, seen_points
from nvs_jax.inputs.view import (
    DepthSource,
    EstimatedDepth,
    View,
    fitted_depth,
    scene_depth,
)
from nvs_jax.media import fit
from nvs_jax.media.cameras import CameraSet, PosedCamera, is_turned, read_cameras, read_picture
from nvs_jax.media.cameras.views import from_corner, holds_many
from nvs_jax.media.photo import is_stored_upright
from nvs_jax.saying import say
from nvs_jax.settings import RenderSettings


def read_sources(
    scene: Path,
    chosen: tuple[int, ...],
    depth: DepthSource | NamedDepth,
    settings: RenderSettings,
    multiple: int,
    *,
    own_units: bool = True,
) -> tuple[Sources, View]:
    """The given views of a posed scene, and the first of them.

    Disparity, of files or estimated, is fitted to the scene's points: its scale and shift are not the cameras'. With
    the release's mapping (`camera.disparity.rule`) that of files is taken as it is.

    Args:
        scene: what `nvs_jax.media.cameras.read_cameras` reads.
        chosen: which cameras, in order; none: all.
        depth: its path is a folder of depth maps, which lie and are called as the pictures; or the scene's own; or what
            estimates them, which is then fitted to the scene's points.
        settings: picture and camera are used.
        multiple: rows and columns of the result are multiples of this.
        own_units: whether maps of depth can have the cameras' units. Those of cameras that were only just found nobody
            knows, so that all depth is fitted to the points.

    Raises:
        InputError: a camera that is not there, or is without picture or depth; depth that must be fitted in a scene
            without points.
    """
    fitted = not own_units or is_unscaled(depth, settings)
    if not own_units and not isinstance(depth, EstimatedDepth):
        say(f"maps of {depth.kind} are scaled to the points found: photos alone do not say their unit")
    known = read_cameras(scene, chosen, points=fitted, depth=isinstance(depth, NamedDepth))
    for note in known.notes:
        say(note)
    _say_turned(known.cameras)
    if fitted and not isinstance(depth, EstimatedDepth) and known.observations is None:
        raise InputError(
            f"{scene} has no points seen in its pictures, to which disparity could be fitted, whose units are not the "
            "cameras': give maps of depth with --depth-kind depth, or a COLMAP model with points3D"
        )
    return sources_of(known, depth, settings, multiple, fitted=fitted)


def is_unscaled(depth: DepthSource | NamedDepth, settings: RenderSettings) -> bool:
    """Whether depth is not in the cameras' units: an estimate, and disparity but with the release's mapping."""
    return isinstance(depth, EstimatedDepth) or (
        depth.kind == "disparity" and settings.camera.disparity.rule != "release"
    )


def sources_of(
    known: CameraSet, depth: DepthSource | NamedDepth, settings: RenderSettings, multiple: int, *, fitted: bool
) -> tuple[Sources, View]:
    """The given views of cameras that were read, and the first of them.

    Args:
        known: the cameras.
        depth: as in `read_sources`.
        settings: picture and camera are used; where depth is not `fitted`, also the path's distance, that of what is in
            the middle of each picture, to which estimates and disparity are scaled.
        multiple: rows and columns of the result are multiples of this.
        fitted: whether depth is fitted to the points that each camera shows.

    Raises:
        InputError: see `read_sources`.
    """
    size = None
    views = []
    for index, (camera, where) in enumerate(zip(known.cameras, depths_of(known, depth), strict=True)):
        view = _posed_view(camera, where, settings, multiple, size, seen_points(known, index) if fitted else None)
        size = view.depth.shape
        views.append(view)
    sources = Sources(
        pictures=jnp.stack([jnp.asarray(view.picture) for view in views]),
        depths=jnp.stack([jnp.asarray(view.depth) for view in views]),
        intrinsics=jnp.stack([jnp.asarray(view.intrinsics) for view in views]),
        poses=jnp.asarray(known.poses, jnp.float32),
    )
    return sources, views[0]


def _posed_view(
    camera: PosedCamera,
    depth: PosedDepth,
    settings: RenderSettings,
    multiple: int,
    size: tuple[int, ...] | None,
    points: Float[np.ndarray, "n 3"] | None,
) -> View:
    """A posed camera's picture and depth, fitted; `size` is that of the views before it, `points` what it sees."""
    stretch = settings.picture.fit == "resize"
    # The release takes the whole file, whatever the camera saw of it.
    picture = read_picture(camera, whole=stretch)
    rows, columns = picture.shape[:2]
    height, width = output_size((rows, columns), settings.picture, multiple) if size is None else size
    fitted, plan = fit(picture, height, width, settings.picture.fit)
    if stretch:
        intrinsics = camera.resized(height, width)
    else:
        intrinsics = from_corner(plan.intrinsics(camera.resized(rows, columns)))
    read = fitted_depth(depth.source, picture, plan)
    values = read.values * np.float32(depth.unit)
    shown = None if points is None else in_picture(points, camera.pose, intrinsics, values.shape)
    if shown is None or (depth.source.kind == "depth" and not isinstance(depth.source, EstimatedDepth)):
        values = scene_depth(values[None], depth.source, settings)[0]
        values = values if shown is None else scaled_by_points(values, shown, str(camera.picture))
    else:
        inverse = values if depth.source.kind == "disparity" else 1 / np.maximum(values, np.float32(1e-3))
        values = depth_by_points(inverse, shown, str(camera.picture))
    return View(
        picture=fitted,
        depth=values,
        intrinsics=intrinsics.astype(np.float32),
        fit=plan,
        photo_size=(rows, columns),
        depth_kind=depth.source.kind,
        estimated=isinstance(depth.source, EstimatedDepth),
        depth_size=read.size,
    )


def _say_turned(cameras: Sequence[PosedCamera]) -> None:
    turned = {camera.picture: is_turned(camera) for camera in cameras if _has_orientation(camera)}
    for how, why in (
        (False, "is read as it is stored, as cameras and depth maps are; its EXIF orientation is left aside"),
        (True, "is read as its EXIF orientation says: only so it has its camera's shape"),
    ):
        alike = [path for path, is_so in turned.items() if is_so == how]
        if alike:
            say(f"{alike[0]} {why}" + (f"; {len(alike) - 1} more alike" if len(alike) > 1 else ""))


def _has_orientation(camera: PosedCamera) -> bool:
    picture = camera.picture
    return picture is not None and not holds_many(picture) and not is_stored_upright(picture)
