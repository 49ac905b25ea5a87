"""A run on disk: its results, what it goes on from after being killed, and the processes that share it."""

from typing import TYPE_CHECKING

from nvs_jax import hand_on

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

__getattr__ = hand_on(
    __name__,
    {
        "results": ("result_folder", "sheet", "write_record", "write_result"),
        "resume": ("Run", "open_run"),
        "stopping": ("StopRequest", "Stopped", "stop_on_signals"),
    },
)
