"""Videos and folders of views as arrays: a video with its depth, warps made elsewhere. Posed scenes:
`nvs_jax.inputs.posed_views`."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, UInt8

from nvs_jax.errors import InputError
from nvs_jax.inputs.depth_maps import Maps, open_maps
from nvs_jax.inputs.placing import plan_view
from nvs_jax.inputs.view import (
    DepthFile,
    DepthSource,
    EstimatedDepth,
    FittedDepth,
    View,
    fitted_depth,
    placed_depth,
    scene_depth,
)
from nvs_jax.media import (
    Clip,
    Placement,
    as_float,
    fit,
    folder_shape,
    frame_rate,
    open_frames,
    read_frames,
    to_bytes,
)
from nvs_jax.media.fitting import Bytes
from nvs_jax.media.photo import Picture
from nvs_jax.media.video import Shot
from nvs_jax.saying import say
from nvs_jax.settings import MOST_FRAMES, RenderSettings

Frames = Float[np.ndarray, "f H W 3"]


class Video(NamedTuple):
    """A video at the size that is rendered.

    Attributes:
        photos: its frames, as bytes: in float32 a long one would take four times as much.
        depths: of each, in scene units; infinite where unknown.
        view: the first frame, with the video's frame rate.
    """

    photos: UInt8[np.ndarray, "f H W 3"]
    depths: Float[np.ndarray, "f H W"]
    view: View


def read_video(frames: Path, depth: DepthSource, settings: RenderSettings, multiple: int) -> Video:
    """The frames of a video with their depth; where `path.frames` is given, the first so many of them.

    Args:
        frames: a folder of pictures, or a video file.
        depth: its path is what `nvs_jax.inputs.depth_maps.open_maps` reads, a map a frame, in the same order; or what
            estimates them.
        settings: picture, camera and path are used.
        multiple: rows and columns of the result are multiples of this.

    Raises:
        InputError: no frames, unequal sizes, too many frames, or another number of depth maps.
    """
    limit = settings.path.frames
    most = MOST_FRAMES if limit is None else None
    with open_frames(frames, max_frames=most) as clip, _opened(depth) as maps:
        known = clip.count if limit is None else min(limit, clip.count or limit)
        _check_counts(frames, known, depth, maps, exact=limit is None or clip.count == known)
        plan, intrinsics = plan_view(clip.size, settings, multiple)
        photos, values, times, sizes = [], [], [], []
        for shot in _wanted(clip, frames, limit):
            photos.append(to_bytes(fit(shot.picture, plan.height, plan.width, plan.how)[0]))
            fitted = _depth_of(depth, maps, shot.picture, plan, len(values))
            values.append(fitted.values)
            sizes.append(fitted.size)
            times.append(shot.seconds)
        exact = limit is None or clip.count == len(photos)
        if isinstance(depth, DepthFile) and maps is not None and maps.count is None and exact and next(maps.each, None):
            raise InputError(f"{frames} has {len(photos)} frames, but {depth.path} has more depth maps")
    _check_counts(frames, len(photos), depth, maps, exact=exact)
    photos, values = np.stack(photos), np.stack(values)  # the lists are gone before more memory is taken
    if isinstance(depth, DepthFile) and depth.kind == "depth" and values.min() == 0 and values.max() == 1:
        say(f"{depth.path} goes from 0 to 1, as DepthCrafter's disparity does: if it is, --depth-kind disparity")
    depths = scene_depth(values, depth, settings)
    rate = frame_rate(times, clip.rate)
    if rate and _uneven(times):
        say(f"{frames}: its frames are not evenly spaced in time; the result has {rate:.4g} a second throughout")
    estimated = isinstance(depth, EstimatedDepth)
    first = as_float(photos[0]), depths[0], intrinsics, plan, clip.size
    view = View(*first, depth.kind, estimated, rate, depth_size=sizes[0])
    return Video(photos, depths, view)


def read_conditions(folder: Path, view: View, frames: int) -> tuple[Frames, Bool[np.ndarray, "f H W"]]:
    """Warps and holes made elsewhere, for every frame but the first, as a result folder holds them.

    Args:
        folder: with warps/ and holes/, a picture for every frame; white is a hole.
        view: the given view, whose size they must have.
        frames: how many the video has, the first included.

    Raises:
        InputError: another number or another size of pictures.
    """
    for name in ("warps", "holes"):
        shapes = folder_shape(folder / name), (frames, *view.depth.shape)
        if shapes[0] != shapes[1]:
            sizes = ["{}x{}x{}".format(*shape) for shape in shapes]
            raise InputError(f"{folder / name} holds {sizes[0]} (frames, rows, columns), but the video is {sizes[1]}")
    return read_frames(folder / "warps")[1:], read_frames(folder / "holes")[1:, ..., 0] > 0.5


def _wanted(clip: Clip, frames: Path, limit: int | None) -> Iterator[Shot]:
    """All frames, or the first `limit`."""
    for index, shot in enumerate(clip.shots):
        yield shot
        if index + 1 == limit:
            if clip.count != limit:
                of = "" if clip.count is None else f" of {clip.count}"
                say(f"{frames}: the first {limit}{of} frames are used, as path.frames says")
            return


def _opened(depth: DepthSource) -> AbstractContextManager[Maps | None]:
    return open_maps(depth) if isinstance(depth, DepthFile) else nullcontext()


def _check_counts(frames: Path, count: int | None, depth: DepthSource, maps: Maps | None, *, exact: bool) -> None:
    """Refuse depth maps that are not of these frames; if not `exact`, there may be more."""
    there = None if maps is None else maps.count
    if there is None or count is None or there == count or (there > count and not exact):
        return
    assert isinstance(depth, DepthFile)
    raise InputError(f"{frames} has {count} frames, but {depth.path} has {there} depth maps")


def _depth_of(
    depth: DepthSource, maps: Maps | None, photo: Picture | Bytes, plan: Placement, index: int
) -> FittedDepth:
    """The depth of the next frame, in its own unit."""
    if maps is None:
        return fitted_depth(depth, photo, plan)
    assert isinstance(depth, DepthFile)
    found = next(maps.each, None)
    if found is None:
        raise InputError(f"{depth.path} has {index} depth maps, but the video has more frames")
    where, values = found
    return placed_depth(values, where, photo, plan)


def _uneven(times: Sequence[float | None]) -> bool:
    """Whether one frame is shown for more than twice as long as another, beyond the rounding of time stamps."""
    known = np.diff([at for at in times if at is not None])
    return len(known) > 1 and bool(known.max() > 2 * max(known.min(), 0.0) + 0.002)
