"""A run on disk: its results, what it goes on from after being killed, and the processes that share it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nvs_jax.runs.results import result_folder, sheet, write_record, write_result
    from nvs_jax.runs.resume import Run, open_run
    from nvs_jax.runs.stopping import Stopped, StopRequest, stop_on_signals

__all__ = [
    "Run",
    "StopRequest",
    "Stopped",
    "open_run",
    "result_folder",
    "sheet",
    "stop_on_signals",
    "write_record",
    "write_result",
]

_HOME = {
    "results": ("result_folder", "sheet", "write_record", "write_result"),
    "resume": ("Run", "open_run"),
    "stopping": ("StopRequest", "Stopped", "stop_on_signals"),
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use: results and states take JAX, which stopping does without."""
    for module, names in _HOME.items():
        if name in names:
            return getattr(import_module(f"nvs_jax.runs.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
