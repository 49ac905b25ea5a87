"""Settings that do not go together: refused, or said to be ignored, before any work. No JAX here."""

from dataclasses import fields
from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.settings import RenderSettings
from nvs_jax.settings.jobs import RenderJob, SingleJob, ViewsJob
from nvs_jax.settings.presets import BEST, settings_for


def check_combinations(job: RenderJob, settings: RenderSettings) -> None:
    """Refuse what would fail, or be left out, after minutes of work.

    Args:
        job: its files are looked for, and not read.
        settings: of the render.

    Raises:
        InputError: what does not go together, in one line.
    """
    full_turn, pixels = settings.path.kind == "full-turn", settings.trust.distance == "pixels"
    conditions = job.conditions if isinstance(job, SingleJob) else None
    if full_turn and not isinstance(job, SingleJob):
        raise InputError("a full turn is made from a single photo: nvs-jax single --path.kind full-turn")
    if full_turn and conditions is not None:
        raise InputError(f"--conditions {conditions} are warps of one path, a full turn is several: choose one of them")
    if full_turn and settings.path.zoom != 1:
        raise InputError("--path.zoom is of one path, a full turn is several: choose one of them")
    if full_turn and pixels:
        raise InputError("--trust.distance pixels does not take a full turn, whose end lies between views: use centre")
    if pixels and isinstance(job, ViewsJob):
        raise InputError("--trust.distance pixels takes a photo or a video: choose centre for several views")
    if settings.warp.splat == "soft" and (full_turn or isinstance(job, ViewsJob)):
        raise InputError("--warp.splat soft takes a photo or a video, not a full turn or several views: use surface")
    if settings.guidance.agreement > 0 and (full_turn or conditions is not None or not isinstance(job, SingleJob)):
        raise InputError("--guidance.agreement takes a photo along a path: leave it at 0 here")
    if settings.camera.exif and not isinstance(job, SingleJob):
        raise InputError("--camera.exif reads the focal length of a single photo: give --camera.fov or --camera.focal")
    if conditions is not None:
        for folder in (conditions / "warps", conditions / "holes"):
            if not folder.is_dir():
                raise InputError(f"{folder} is not there: --conditions takes a folder with warps/ and holes/")
    _check_file(settings.path.file)


def ignored(job: RenderJob, settings: RenderSettings) -> tuple[str, ...]:
    """Options that were given and make no difference to this kind of input: those of a path between posed views.

    What the weights bring nobody gave.

    >>> from nvs_jax.settings import CameraSettings, PathSettings
    >>> job = ViewsJob(scene=Path("scene"), out=Path("out"))
    >>> ignored(job, RenderSettings(path=PathSettings("line"), camera=CameraSettings(fov=50.0)))
    ('--path.kind', '--camera.fov')
    """
    if not isinstance(job, ViewsJob):
        return ()
    brought = job.preset in (None, BEST)
    own = settings_for(job.weights, job.preset, "views") if brought else RenderSettings()
    unused = {
        "path": (settings.path, own.path, {"frames", "radius"}),
        "camera": (settings.camera, own.camera, {"disparity", "disparity_scale", "far", "exif"}),
    }
    return tuple(
        f"--{group}.{field.name.replace('_', '-')}"
        for group, (given, plain, used) in unused.items()
        for field in fields(given)
        if field.name not in used and getattr(given, field.name) != getattr(plain, field.name)
    )


def _check_file(path: Path | None) -> None:
    if path is not None and not path.is_file():
        raise InputError(f"{path} is not a file: --path.file names the poses of the path")
