"""Where a job's depth comes from: a file of it, or a network that is asked."""

from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.jobs import AUTO, RenderJob, SingleJob, VideoJob, ViewsJob
from nvs_jax.saying import say
from nvs_jax.views import DepthFile, DepthSource, EstimatedDepth


def depth_source(path: Path, job: SingleJob | VideoJob | ViewsJob) -> DepthSource:
    """The files at `path` or, if it says auto, the job's depth network; says which on standard error.

    Raises:
        InputError: a file without a kind, or weights that cannot be had.
    """
    if is_auto(path):
        source = _estimated(job)
        say(f"depth is estimated by {job.depth_weights}, as {source.kind}")
        return source
    if job.depth_kind is None:
        raise InputError(f"say what {path} holds: --depth-kind depth (large is far) or disparity (large is near)")
    say(f"{path} is read as {job.depth_kind}")
    return DepthFile(path, job.depth_kind, job.png_scale)


def is_auto(path: Path) -> bool:
    """Whether depth is to be estimated. A list of jobs names it relative to its own folder.

    >>> is_auto(Path("auto")), is_auto(Path("depth.npy"))
    (True, False)
    """
    return path == AUTO or (path.name == AUTO.name and not path.exists())


def _estimated(job: RenderJob) -> EstimatedDepth:
    from nvs_jax.models.depth import load_depth

    estimator = load_depth(job.depth_weights)
    return EstimatedDepth(estimator.estimate, "depth" if estimator.metric else "disparity")
