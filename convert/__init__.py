"""Published weights into this project's form: one key table per source, every key accounted for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convert.loading import convert, load_networks, open_published, open_source

__all__ = ["convert", "load_networks", "open_published", "open_source"]


def __getattr__(name: str) -> Any:
    """Import a public name on first use: JAX takes seconds that `import convert` should not."""
    if name in __all__:
        return getattr(import_module("convert.loading"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
