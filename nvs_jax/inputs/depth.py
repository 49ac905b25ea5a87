"""Where a job's depth comes from: a file of it, or a network that is asked."""

from pathlib import Path

from nvs_jax.errors import InputError
from nvs_jax.inputs.posed_depth import NamedDepth, has_depth
from nvs_jax.inputs.view import PNG_SCALE, DepthFile, DepthSource, EstimatedDepth
from nvs_jax.saying import say
from nvs_jax.settings import DepthKind
from nvs_jax.settings.jobs import AUTO, RenderJob, SingleJob, VideoJob, ViewsJob


def depth_source(path: Path, job: SingleJob | VideoJob | ViewsJob) -> DepthSource:
    """The files at `path` or, if it says auto, the job's depth network; says which on standard error.

    Raises:
        InputError: a file without a kind, or weights that cannot be had.
    """
    if is_auto(path):
        source = _estimated(job)
        if job.settings.camera.keep_units and source.kind == "disparity":
            raise InputError(
                f"--camera.keep-units keeps metres, and {job.depth_weights} estimates disparity, which has no unit: "
                "give --depth-weights of a Metric network, or depth maps with --depth-kind depth"
            )
        unused = "" if job.depth_kind is job.png_scale is None else "; --depth-kind and --png-scale are of files"
        say(f"depth is estimated by {job.depth_weights}, as {source.kind}{unused}")
        return source
    if job.depth_kind is None:
        raise InputError(f"say what {path} holds: --depth-kind depth (large is far) or disparity (large is near)")
    if job.depth_kind == "disparity" and job.settings.camera.keep_units and not isinstance(job, ViewsJob):
        raise InputError(f"--camera.keep-units keeps metres, and {path} holds disparity, which has no unit")
    return _files(path, job.depth_kind, job.png_scale)


def depth_of_views(job: ViewsJob) -> DepthSource | NamedDepth:
    """The depth of a posed scene: that of the folder given, the scene's own, or where it has none an estimate.

    Raises:
        InputError: a scene that cannot be read; see `depth_source`.
    """
    kind = job.depth_kind or "depth"
    if job.depth is not None and not is_auto(job.depth):
        return _files(job.depth, kind, job.png_scale)
    if job.depth is None and has_depth(job.scene, job.cameras):
        return NamedDepth(kind, job.png_scale)
    return depth_source(AUTO, job)


def _files(path: Path, kind: DepthKind, png_scale: float | None) -> DepthFile:
    scale = PNG_SCALE if png_scale is None else png_scale
    pictures = path.suffix.lower() == ".png" or (path.is_dir() and any(path.glob("*.[pP][nN][gG]")))
    scaled = pictures and kind == "depth"
    unused = "" if png_scale is None else "; --png-scale is for a .png of depth"
    steps = f", a .png of {scale:g} steps a unit" if scaled else unused
    say(f"{path} is read as {kind}{steps}")
    return DepthFile(path, kind, scale)


def is_auto(path: Path) -> bool:
    """Whether depth is to be estimated. A list of jobs names it relative to its own folder.

    >>> is_auto(Path("auto")), is_auto(Path("depth.npy"))
    (True, False)
    """
    return path == AUTO or (path.name == AUTO.name and not path.exists())


def _estimated(job: RenderJob) -> EstimatedDepth:
    from nvs_jax.loading import load_depth

    estimator = load_depth(job.depth_weights)
    return EstimatedDepth(estimator.estimate, "depth" if estimator.metric else "disparity")
