"""The videos of a scene of a benchmark: its pictures, depth and settings as the layout's protocol has them."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from nvs_jax.evaluation.field.compared import Part
from nvs_jax.evaluation.field.samples import Task, first_targets, tasks_of
from nvs_jax.evaluation.field.samples_unposed import both_sides, tasks_of_unposed
from nvs_jax.inputs.posed_depth import NamedDepth
from nvs_jax.inputs.view import DepthFile, DepthSource, EstimatedDepth
from nvs_jax.media.splits import WITHOUT_TRUTH, Sample
from nvs_jax.media.unposed_splits import Unposed
from nvs_jax.models.contract import Lattice
from nvs_jax.models.depth import DepthEstimator
from nvs_jax.saying import say
from nvs_jax.settings import Mode, RenderSettings
from nvs_jax.settings.benchmark import BenchmarkJob
from nvs_jax.settings.presets import settings_for
from nvs_jax.settings.suited import suited

SEVA_SIDE = 576
"""Pixels of the shorter side of the videos of SEVA's benchmark."""


def tasks(job: BenchmarkJob, sample: Sample | Unposed, settings: RenderSettings, lattice: Lattice) -> Iterator[Task]:
    """The videos of a scene; `settings` are those of `settings_of`.

    Raises:
        InputError: pictures, cameras or depth that cannot be used.
    """
    size = lattice.pixels, settings.path.frames or lattice.frames
    if isinstance(sample, Unposed):
        depth = _estimated(job, sample.scene) if sample.depth is None else DepthFile(sample.depth, job.depth_kind)
        return tasks_of_unposed(sample, depth, settings, size)
    return tasks_of(sample, _depth(job, sample), settings, size, job.distance)


def count_videos(sample: Sample | Unposed, settings: RenderSettings, lattice: Lattice) -> int:
    """How many videos `tasks` gives, which come one by one: a scene's warps together may be larger than memory."""
    if isinstance(sample, Unposed):
        return 1 if sample.is_video else len(both_sides(settings.path))
    return len(first_targets(len(sample.targets.cameras), settings.path.frames or lattice.frames))


def settings_of(job: BenchmarkJob, sample: Sample | Unposed, multiple: int) -> RenderSettings:
    """The job's settings for a scene.

    Those that are the preset's for one view are what it has for a scene of this kind; where nobody says a size, it is
    the layout's.

    Args:
        job: what was asked for.
        sample: the scene.
        multiple: pixels that sizes are multiples of.
    """
    given = () if isinstance(sample, Unposed) else sample.given.cameras
    mode: Mode = "views" if len(given) > 1 else "single"
    if isinstance(sample, Unposed) and sample.is_video:
        mode = "video"
    plain, own = (settings_for(job.weights, job.preset, kind) for kind in ("single", mode))
    settings = suited(job.settings, own, plain)[0]
    side = shorter_side(job)
    if side is None or not given:
        return settings
    size = with_shorter_side((given[0].height, given[0].width), side, multiple)
    return replace(settings, picture=replace(settings.picture, size=size))


def shorter_side(job: BenchmarkJob) -> int | None:
    """Pixels of the shorter side of posed videos; None: --picture.* say, as of all videos without poses."""
    if job.settings.picture.size is not None or job.split in WITHOUT_TRUTH:
        return None
    return job.shorter_side or (SEVA_SIDE if job.split == "seva" else None)


def part_of(job: BenchmarkJob) -> Part:
    """Which part of every frame is compared."""
    if job.compared != "layout":
        return job.compared
    return "square" if job.split == "seva" else "all"


def with_shorter_side(size: tuple[int, int], side: int, multiple: int) -> tuple[int, int]:
    """Rows and columns of a picture whose shorter side becomes `side`, both rounded to multiples, as SEVA does.

    >>> with_shorter_side((546, 980), 576, 64), with_shorter_side((1000, 750), 576, 64)
    ((576, 1024), (768, 576))
    """
    height, width = (max(1, int(int(side * length / min(size)) / multiple + 0.5)) * multiple for length in size)
    return height, width


def _depth(job: BenchmarkJob, sample: Sample) -> DepthSource | NamedDepth:
    if all(camera.depth is not None for camera in sample.given.cameras):
        return NamedDepth(job.depth_kind)
    return _estimated(job, sample.scene)


def _estimated(job: BenchmarkJob, scene: str) -> EstimatedDepth:
    estimator = _estimator(job.depth_weights)
    say(f"{scene}: depth is estimated by {job.depth_weights}")
    return EstimatedDepth(estimator.estimate, "depth" if estimator.metric else "disparity")


@lru_cache(1)
def _estimator(weights: str) -> DepthEstimator:
    """Read once for all scenes."""
    from nvs_jax.loading import load_depth

    return load_depth(weights)
