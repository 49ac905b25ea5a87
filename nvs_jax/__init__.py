"""Novel views of a scene from a photo, a few photos or a video, without training: NVS-Solver in JAX."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nvs_jax.errors import InputError
    from nvs_jax.pipeline import Pipeline, load
    from nvs_jax.steering.render import Render

__all__ = ["InputError", "Pipeline", "Render", "load"]
__version__ = "0.1.0"


def hand_on(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """A package's `__getattr__` that imports a public name on first use: JAX takes seconds that others can do without.

    Args:
        package: its name.
        homes: module in it -> the names that are handed on from there.
    """

    def find(name: str) -> Any:
        for module, names in homes.items():
            if name in names:
                return getattr(import_module(f"{package}.{module}"), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find


__getattr__ = hand_on(
    __name__, {"errors": ("InputError",), "pipeline": ("Pipeline", "load"), "steering.render": ("Render",)}
)
