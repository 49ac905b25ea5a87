"""How the model of a job is had: what it is at once, its weights when all else has been looked at."""

from collections.abc import Callable
from dataclasses import dataclass

import jax
from jax.sharding import Mesh

from nvs_jax.errors import InputError
from nvs_jax.loading import describe_model
from nvs_jax.models.contract import VideoModel
from nvs_jax.pipeline import Pipeline, load
from nvs_jax.planning.devices import default_mesh
from nvs_jax.saying import say
from nvs_jax.settings.jobs import Dtype, RenderJob
from nvs_jax.settings.presets import BEST, own_preset
from nvs_jax.sharding import make_mesh


def describe_for(job: RenderJob) -> VideoModel:
    """The model that a job asks for, without its weights.

    Raises:
        InputError: there are no such weights, or not the devices that the job shares them out to.
    """
    assert job.weights is not None
    return describe_model(job.weights, mesh=_mesh_of(job), divide_weights=job.mesh.weights)


def load_for(job: RenderJob) -> Pipeline:
    """The pipeline that a job asks for.

    Raises:
        InputError: as `describe_for`; or its weights are damaged.
    """
    assert job.weights is not None
    own = own_preset(job.weights) if job.preset in (None, BEST) else None
    if own is not None:
        say(f"settings that are not given are the weights' own, {own}; --preset fast leaves them out")
    mesh, asked = _mesh_of(job), job.mesh
    there = jax.device_count() if asked.hosts else jax.local_device_count()
    if asked.size < there:
        say(f"the render takes {asked.size} of {there} devices, the others are idle; {_fullest(there)} takes all")
    return load(
        job.weights,
        dtype=job.dtype or default_dtype(),
        low_memory=job.low_memory,
        mesh=mesh,
        divide_weights=asked.weights,
    )


@dataclass(frozen=True)
class Loader:
    """What a render calls.

    Attributes:
        describe: first; see `describe_for`.
        load: when inputs have been read; see `load_for`.
    """

    describe: Callable[[RenderJob], VideoModel] = describe_for
    load: Callable[[RenderJob], Pipeline] = load_for


FRESH = Loader()
"""Every job's weights are read."""


class LastLoaded:
    """The pipeline of the last job: kept for the next one if that asks for the same, or freed before it is read."""

    def __init__(self) -> None:
        self._asked: tuple[object, ...] | None = None
        self._pipeline: Pipeline | None = None

    def holds(self, job: RenderJob) -> bool:
        """Whether a job asks for what is there."""
        return self._pipeline is not None and self._asked == _asked(job)

    def describe(self, job: RenderJob) -> VideoModel:
        """As `describe_for`; nothing is looked up again of what is there."""
        return self._pipeline.model if self._pipeline is not None and self.holds(job) else describe_for(job)

    def load(self, job: RenderJob) -> Pipeline:
        """As `load_for`, or what is there."""
        if self._pipeline is None or not self.holds(job):
            self._pipeline = None
            self._pipeline = load_for(job)
            self._asked = _asked(job)
        return self._pipeline


def default_dtype() -> Dtype:
    """Accelerators are made for bfloat16; on a CPU the narrow types are slower than float32."""
    return "float32" if jax.default_backend() == "cpu" else "bfloat16"


def _asked(job: RenderJob) -> tuple[object, ...]:
    return job.weights, job.dtype, job.low_memory, job.mesh


def _mesh_of(job: RenderJob) -> Mesh | None:
    asked = job.mesh
    if asked.weights and asked.size == 1:
        raise InputError(
            "--mesh.weights divides them among several devices: give --mesh.branches and --mesh.frames, too"
        )
    if asked.size == 1:
        return None
    # A process on its own, such as each of a batch's, has its own devices alone.
    devices = jax.devices() if asked.hosts else jax.local_devices()
    return make_mesh(asked.branches, asked.frames, asked.rows, devices)


def _fullest(devices: int) -> str:
    """The options for a mesh of so many devices.

    >>> _fullest(8), _fullest(3)
    ('--mesh.branches 2 --mesh.frames 4', '--mesh.frames 3')
    """
    branches, frames, _ = default_mesh(devices)
    return f"--mesh.branches 2 --mesh.frames {frames}" if branches * frames == devices else f"--mesh.frames {devices}"
