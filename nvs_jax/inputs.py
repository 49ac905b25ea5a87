"""Folders of views as arrays: videos, posed scenes, warps made elsewhere."""

from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from nvs_jax.conditions import Sources
from nvs_jax.errors import InputError
from nvs_jax.media import DEPTH_SUFFIXES, fit, in_order, read_frames, read_photo, read_video_file
from nvs_jax.media.cameras import CameraSet, PosedCamera, read_cameras, read_picture
from nvs_jax.settings import RenderSettings
from nvs_jax.sparse_points import depth_by_points, seen_points
from nvs_jax.views import (
    TO_CENTRE,
    DepthFile,
    DepthSource,
    EstimatedDepth,
    View,
    fit_views,
    fitted_depth,
    output_size,
    scene_depth,
)

Frames = Float[np.ndarray, "f H W 3"]
MAX_FRAMES = 2000


def read_video(
    frames: Path, depth: DepthSource, settings: RenderSettings, multiple: int
) -> tuple[Frames, Float[np.ndarray, "f H W"], View]:
    """The frames of a video with their depth, and the first of them as a view.

    Args:
        frames: a folder of pictures, or a video file.
        depth: its path is a folder of as many depth maps, in the same order; or what estimates them.
        settings: picture and camera are used.
        multiple: rows and columns of the result are multiples of this.

    Raises:
        InputError: no frames, unequal sizes, or another number of depth maps.
    """
    photos = read_frames(frames) if frames.is_dir() else read_video_file(frames, MAX_FRAMES)
    depths: list[DepthSource] = [depth] * len(photos)
    if isinstance(depth, DepthFile):
        maps = _depth_files(depth.path)
        if len(maps) != len(photos):
            raise InputError(f"{frames} has {len(photos)} frames, but {depth.path} has {len(maps)} depth maps")
        depths = [replace(depth, path=path) for path in maps]
    views = fit_views(list(photos), depths, settings, multiple)
    return np.stack([view.picture for view in views]), np.stack([view.depth for view in views]), views[0]


def read_sources(
    scene: Path, chosen: tuple[int, ...], depth: DepthSource | None, settings: RenderSettings, multiple: int
) -> tuple[Sources, View]:
    """The given views of a posed scene, and the first of them.

    Args:
        scene: what `nvs_jax.media.cameras.read_cameras` reads.
        chosen: which cameras, in order; none: all.
        depth: its path is a folder of depth maps named as the pictures; None where the scene names its own; or what
            estimates it, which is then fitted to the scene's points.
        settings: picture and camera are used.
        multiple: rows and columns of the result are multiples of this.

    Raises:
        InputError: a camera that is not there, or is without picture or depth; depth to be estimated in a scene without
            points.
    """
    known = read_cameras(scene)
    indices = _chosen(known, chosen, scene)
    cameras = [known.cameras[index] for index in indices]
    size = None
    views = []
    for index, camera in zip(indices, cameras, strict=True):
        points = seen_points(known, index) if isinstance(depth, EstimatedDepth) else None
        view = _posed_view(camera, depth, settings, multiple, size, points)
        size = view.depth.shape
        views.append(view)
    sources = Sources(
        pictures=jnp.stack([jnp.asarray(view.picture) for view in views]),
        depths=jnp.stack([jnp.asarray(view.depth) for view in views]),
        intrinsics=jnp.stack([jnp.asarray(view.intrinsics) for view in views]),
        poses=jnp.asarray(np.stack([camera.pose for camera in cameras]), jnp.float32),
    )
    return sources, views[0]


def read_conditions(folder: Path, view: View, frames: int) -> tuple[Frames, Bool[np.ndarray, "f H W"]]:
    """Warps and holes made elsewhere, for every frame but the first, as a result folder holds them.

    Args:
        folder: with warps/ and holes/, a picture for every frame; white is a hole.
        view: the given view, whose size they must have.
        frames: how many the video has, the first included.

    Raises:
        InputError: another number or another size of pictures.
    """
    warps, holes = read_frames(folder / "warps"), read_frames(folder / "holes")
    for name, pictures in (("warps", warps), ("holes", holes)):
        if pictures.shape != (frames, *view.picture.shape):
            sizes = ["{}x{}x{}".format(*shape) for shape in (pictures.shape[:3], (frames, *view.depth.shape))]
            raise InputError(f"{folder / name} holds {sizes[0]} (frames, rows, columns), but the video is {sizes[1]}")
    return warps[1:], holes[1:, ..., 0] > 0.5


def _chosen(cameras: CameraSet, chosen: tuple[int, ...], scene: Path) -> list[int]:
    count = len(cameras.cameras)
    missing = [index for index in chosen if not 0 <= index < count]
    if missing:
        raise InputError(f"{scene} has cameras 0 to {count - 1}, so there is no camera {missing[0]}")
    return list(chosen or range(count))


def _posed_view(
    camera: PosedCamera,
    depth: DepthSource | None,
    settings: RenderSettings,
    multiple: int,
    size: tuple[int, ...] | None,
    points: Float[np.ndarray, "n 3"] | None,
) -> View:
    """A posed camera's picture and depth, fitted; `size` is that of the views before it, `points` what it sees."""
    stretch = settings.picture.fit == "resize"
    picture = read_picture(camera)
    if stretch and camera.picture is not None:  # the release takes the whole file, whatever the camera saw of it
        picture = read_photo(camera.picture)
    rows, columns = picture.shape[:2]
    height, width = output_size((rows, columns), settings.picture, multiple) if size is None else size
    fitted, plan = fit(picture, height, width, settings.picture.fit)
    if stretch:
        intrinsics = camera.resized(height, width)
    else:  # files count from the picture's corner, the warp from the centre of its first pixel
        intrinsics = plan.intrinsics(camera.resized(rows, columns)) - TO_CENTRE
    source = depth if isinstance(depth, EstimatedDepth) else _depth_of(camera, depth)
    values = fitted_depth(source, picture, plan)
    if points is None:
        values = scene_depth(values[None], source, settings)[0]
    else:
        inverse = values if source.kind == "disparity" else 1 / np.maximum(values, np.float32(1e-3))
        values = depth_by_points(inverse, points, camera.pose, intrinsics, str(camera.picture))
    return View(
        picture=fitted,
        depth=values,
        intrinsics=intrinsics.astype(np.float32),
        fit=plan,
        photo_size=(rows, columns),
        depth_kind=source.kind,
    )


def has_depth(scene: Path) -> bool:
    """Whether a posed scene names a depth map for every camera."""
    return all(camera.depth is not None for camera in read_cameras(scene).cameras)


def _depth_of(camera: PosedCamera, depth: DepthFile | None) -> DepthFile:
    """Where a camera's depth is: named as its picture in the folder given, or where the scene says."""
    assert camera.picture is not None
    if depth is None:
        if camera.depth is None:
            raise InputError(f"{camera.picture} comes without depth: give a folder of depth maps with --depth")
        return DepthFile(camera.depth, "depth")
    named = [path for path in _depth_files(depth.path) if path.stem == camera.picture.stem]
    if not named:
        raise InputError(f"{depth.path} holds no depth map named {camera.picture.stem}, as the picture is")
    return replace(depth, path=named[0])


def _depth_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder of depth maps")
    return in_order(path for path in folder.iterdir() if path.suffix.lower() in DEPTH_SUFFIXES)
