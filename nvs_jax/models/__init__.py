"""The networks: each family in a folder of its own, behind the contract of `nvs_jax.models.contract`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nvs_jax.models.contract import Lattice, PictureEncoder, VideoModel
    from nvs_jax.models.families import Family, family
    from nvs_jax.models.networks import Networks, Weightless

__all__ = ["Family", "Lattice", "Networks", "PictureEncoder", "VideoModel", "Weightless", "family"]

_HOME = {
    "contract": ("Lattice", "PictureEncoder", "VideoModel"),
    "families": ("Family", "family"),
    "networks": ("Networks", "Weightless"),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: a configuration is read without JAX."""
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"nvs_jax.models.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
