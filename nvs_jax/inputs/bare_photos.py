"""Photos without cameras: their poses are found first, and then they are a posed scene."""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from nvs_jax.disk.atomic import atomic_folder
from nvs_jax.errors import InputError
from nvs_jax.inputs.depth import is_auto
from nvs_jax.media.cameras.colmap.register import register_photos
from nvs_jax.media.cameras.detect import bare_photos
from nvs_jax.media.video import in_order
from nvs_jax.saying import say
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.combinations import ignored
from nvs_jax.settings.jobs import RenderJob, ViewsJob

AnyJob = TypeVar("AnyJob", bound=RenderJob)


def with_poses(job: AnyJob, folder: Path) -> AnyJob:
    """The job itself, or, where it is of photos without cameras, that of the scene found, which lies in `folder` then.

    Says how many photos were registered and how well. What an interrupted run found is used again.

    Raises:
        InputError: no poses can be found: see `register_photos`; or several processes would each find their own; or
            there will be no depth.
    """
    photos = bare_photos(job.scene) if isinstance(job, ViewsJob) else []
    if not isinstance(job, ViewsJob) or not photos:
        return job
    if job.mesh.hosts:
        raise InputError(
            f"{job.scene} holds photos without cameras: find their poses on one machine first, with --preview; its "
            "result has them in scene/"
        )
    if in_order(photos) != photos and not job.cameras:
        first = ", ".join(photo.name for photo in photos[:3])
        say(f"photos are visited in the order of their names as text, {first}: rename them, or give --cameras")
    if folder.is_dir():
        say(f"the poses of {job.scene} are there, from before")
    else:
        if len(photos) > 1:  # of one there are no poses to be found, whatever gives depth
            _check_depth(job)
        with atomic_folder(folder) as made:
            camera = job.settings.camera
            focal = camera.focal_over_width if camera.focal_is_given else None
            say(str(register_photos(photos, made, focal)))
    return replace(job, scene=folder)


def _check_depth(job: ViewsJob) -> None:
    """Before the minutes that poses take: what gives depth is there."""
    from nvs_jax.loading import check_depth

    if job.depth is None or is_auto(job.depth):
        check_depth(job.depth_weights)
    elif not job.depth.is_dir():
        raise InputError(f"{job.depth}: no such folder of depth maps")


def ignored_with(job: RenderJob, settings: RenderSettings) -> tuple[str, ...]:
    """Options that make no difference to a job; of photos without cameras, a focal length does."""
    unused = ignored(job, settings)
    if not (isinstance(job, ViewsJob) and bare_photos(job.scene)):
        return unused
    return tuple(name for name in unused if name not in ("--camera.focal", "--camera.fov"))
