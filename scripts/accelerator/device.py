"""The device of this process, and programs for it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nvs_jax.planning.work import count_work
from scripts.accelerator.sizes import PEAKS, Size
from scripts.accelerator.timing import time_of

Options = Mapping[str, bool | str]
_HITS = "/jax/compilation_cache/cache_hits"
_hits = [0]
_COMPILING = "/jax/core/compile/backend_compile_duration"
_compiling: list[float] = []


def _count(event: str, **_: Any) -> None:
    _hits[0] += event == _HITS


def _add(event: str, duration_secs: float, **_: Any) -> None:
    if event == _COMPILING:
        _compiling.append(duration_secs)


jax.monitoring.register_event_listener(_count)
jax.monitoring.register_event_duration_secs_listener(_add)


def peak() -> float | None:
    """TFLOP/s in bfloat16 as the maker states them; None where they are not known."""
    return next((peak for name, peak in PEAKS.items() if name in jax.devices()[0].device_kind), None)


def memory(name: str = "peak_bytes_in_use") -> float | None:
    """GB on the device, now or at most so far; None where it does not say."""
    statistics = jax.devices()[0].memory_stats() or {}
    return statistics[name] / 1e9 if name in statistics else None


def from_cache() -> int:
    """How many programs this process has so far found compiled."""
    return _hits[0]


def compiling() -> tuple[int, float]:
    """How many programs this process has so far compiled or read from the cache, and the seconds that took."""
    return len(_compiling), sum(_compiling)


@partial(jax.jit, static_argnums=(1, 2))
def _normal(key: Array, shape: tuple[int, ...], dtype: str) -> Array:
    return jax.random.normal(key, shape, dtype)


def normal(*shape: int, dtype: str = "float32", seed: int = 0) -> Float[Array, "..."]:
    """N(0, 1) on the device; the generator is one that compiles quickly."""
    return jax.block_until_ready(_normal(jax.random.key(seed, impl="rbg"), shape, dtype))


@dataclass(frozen=True)
class Compiled:
    """A program for arguments that are at hand.

    Attributes:
        program: of the device.
        arguments: what it is called with.
        seconds: that compiling took.
        tflop: of its products, by their shapes.
        cached: whether it came from the cache of programs.
    """

    program: jax.stages.Compiled
    arguments: tuple[Any, ...]
    seconds: float
    tflop: float
    cached: bool

    def __call__(self) -> Any:
        """Begin to run it."""
        return self.program(*self.arguments)

    def figures(self, size: Size) -> dict[str, float]:
        seconds = time_of(self, jax.block_until_ready, size)
        return {"ms": 1e3 * seconds, **rates(self.tflop, seconds), "compile s": self.seconds}


def rates(tflop: float, seconds: float) -> dict[str, float]:
    """Operations a second, and their share of the peak; nothing where there are none."""
    if not tflop:
        return {}
    return {"TFLOP/s": tflop / seconds} | ({"of peak": tflop / seconds / most} if (most := peak()) else {})


def compiled(function: Callable[..., Any], *arguments: Any, options: Options | None = None) -> Compiled:
    """Compile a function for its arguments.

    Args:
        function: plain, or jitted.
        arguments: its own.
        options: XLA's, for this program alone.
    """
    hits = from_cache()
    traced = jax.jit(function).trace(*arguments)
    begun = time.perf_counter()
    program = traced.lower().compile(compiler_options=dict(options) if options else None)
    seconds = time.perf_counter() - begun
    tflop = count_work(traced.jaxpr).flops / 1e12
    return Compiled(program, arguments, seconds, tflop, from_cache() > hits)


def error(got: Array, wanted: Array) -> float:
    """Largest difference over the largest value; not a number where a value is none."""
    difference = jnp.abs(got.astype(jnp.float32) - wanted.astype(jnp.float32)).max()
    return float(difference / jnp.abs(wanted).max())
