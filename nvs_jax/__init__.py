"""Novel views of a scene from a photo, a few photos or a video, without training: NVS-Solver in JAX."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nvs_jax.errors import InputError
    from nvs_jax.pipeline import Pipeline, load
    from nvs_jax.steering.render import Render

__all__ = ["InputError", "Pipeline", "Render", "load"]
__version__ = "0.1.0"

_HOME = {
    "InputError": "nvs_jax.errors",
    "Pipeline": "nvs_jax.pipeline",
    "Render": "nvs_jax.steering.render",
    "load": "nvs_jax.pipeline",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: JAX takes seconds that `nvs-jax --help` should not."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
