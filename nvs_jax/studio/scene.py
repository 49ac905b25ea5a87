"""What is looked at: the given views of a job, small enough to be warped while a slider moves."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, UInt8

from nvs_jax.errors import InputError
from nvs_jax.geometry import Sources
from nvs_jax.inputs.depth import depth_of_views, depth_source
from nvs_jax.inputs.placing import output_size, plan_view
from nvs_jax.inputs.posed_views import read_sources
from nvs_jax.inputs.video import read_video
from nvs_jax.inputs.view import (
    EstimatedDepth,
    View,
    fitted_depth,
    scene_depth,
    with_recorded_focal,
)
from nvs_jax.media import fit, open_frames, read_photo
from nvs_jax.media.cameras import read_cameras, read_picture
from nvs_jax.models.contract import Lattice
from nvs_jax.settings import MOST_FRAMES, RenderSettings, WarpSettings
from nvs_jax.settings.jobs import RenderJob, SingleJob, VideoJob, ViewsJob

LIVE_PIXELS = 40_000
"""Of a picture that is warped while the mouse moves: 144x256 of 576x1024."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The given views of a job at a reduced size.

    Attributes:
        view: the first one.
        lattice: of the model: which sizes it takes, and how many frames.
        shrink: pixels of the render along each side of a pixel here.
        remade: the same with depth and camera by other settings, at once.
        clip: all frames of a video and the depth of each; None of other inputs.
        sources: all posed views; None of other inputs.
    """

    view: View
    lattice: Lattice
    shrink: int
    remade: Callable[[RenderSettings], "Scene"]
    clip: tuple[UInt8[np.ndarray, "n h w 3"], Float[np.ndarray, "n h w"]] | None = None
    sources: Sources | None = None


def open_scene(job: RenderJob, settings: RenderSettings, lattice: Lattice) -> Scene:
    """Read what a job is about.

    Raises:
        InputError: inputs that cannot be read or do not fit together.
    """
    match job:
        case SingleJob():
            return _photo(job, settings, lattice)
        case VideoJob():
            return _video(job, settings, lattice)
        case ViewsJob():
            first = read_cameras(job.scene, job.cameras[:1] or (0,), points=False, depth=False).cameras[0]
            rows, columns = read_picture(first, whole=settings.picture.fit == "resize").shape[:2]
            small, shrink = _reduced((rows, columns), settings, lattice)
            sources, view = read_sources(job.scene, job.cameras, depth_of_views(job), small, 1)
            scene = Scene(view, lattice, shrink, lambda _: scene, sources=sources)  # whose cameras are its own
            return scene
        case _:
            raise TypeError(job)


def live_warp(settings: WarpSettings, shrink: int) -> WarpSettings:
    """The same warp of pictures so many times smaller: holes grow by as much less.

    >>> live_warp(WarpSettings(dilation=5), 4).dilation, live_warp(WarpSettings(dilation=9), 2).dilation
    (1, 5)
    """
    return replace(settings, dilation=2 * round((settings.dilation - 1) / 2 / shrink) + 1)


def shrink_of(height: int, width: int, pixels: int = LIVE_PIXELS) -> int:
    """By what the sides of a picture are divided, so that it has so many pixels at most and nothing is left over.

    >>> shrink_of(576, 1024), shrink_of(96, 128), shrink_of(640, 832)
    (4, 1, 4)
    """
    sides = math.gcd(height, width)
    wanted = math.sqrt(height * width / pixels)
    return next((side for side in range(1, sides) if sides % side == 0 and side >= wanted), sides)


def _photo(job: SingleJob, settings: RenderSettings, lattice: Lattice) -> Scene:
    source, photo = depth_source(job.depth, job), read_photo(job.photo)
    size = (photo.shape[0], photo.shape[1])
    shrink = _reduced(size, settings, lattice)[1]

    def planned(settings: RenderSettings):
        return plan_view(size, _reduced(size, with_recorded_focal(job.photo, settings), lattice)[0], 1)

    plan, _ = planned(settings)
    picture, values = fit(photo, plan.height, plan.width, plan.how)[0], fitted_depth(source, photo, plan).values

    def remade(settings: RenderSettings) -> Scene:
        depth = scene_depth(values[None], source, settings)[0]
        estimated = isinstance(source, EstimatedDepth)
        view = View(picture, depth, planned(settings)[1], plan, size, source.kind, estimated)
        return Scene(view, lattice, shrink, remade)

    return remade(settings)


def _video(job: VideoJob, settings: RenderSettings, lattice: Lattice) -> Scene:
    source = depth_source(job.depth, job)
    with open_frames(job.frames, max_frames=MOST_FRAMES) as clip:
        small, shrink = _reduced(clip.size, settings, lattice)
    photos, depths, view = read_video(job.frames, source, small, 1)
    metric = isinstance(source, EstimatedDepth) and source.kind == "depth"
    scaled = metric or (source.kind == "disparity" and settings.camera.disparity.rule == "centred")

    def remade(changed: RenderSettings) -> Scene:
        before, after = (
            (camera.disparity, camera.disparity_scale, camera.far) for camera in (settings.camera, changed.camera)
        )
        if before != after:
            raise InputError("a video's depth is read with its near and far: open it again with other ones")
        here = replace(changed, picture=small.picture)
        by = changed.path.distance / settings.path.distance if scaled else 1.0
        lens = plan_view(view.photo_size, here, 1)[1]
        far = depths * np.float32(by)  # what is in the middle is as far away as the path says
        return Scene(replace(view, depth=far[0], intrinsics=lens), lattice, shrink, remade, clip=(photos, far))

    return remade(settings)


def _reduced(size: tuple[int, int], settings: RenderSettings, lattice: Lattice) -> tuple[RenderSettings, int]:
    """Settings of the same pictures at a reduced size, and how many times smaller they are."""
    height, width = output_size(size, settings.picture, lattice.pixels)
    shrink = shrink_of(height, width)
    picture = replace(settings.picture, size=(height // shrink, width // shrink))
    return replace(settings, picture=picture), shrink
