"""Where the time of a step goes: a trace of one program, by kinds of kernels and by kernels."""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax

from nvs_jax.planning.hlo import parse
from nvs_jax.planning.kernels import by_kind, kernels
from scripts.accelerator.rows import Row
from scripts.accelerator.sampling import Segment, prepared
from scripts.accelerator.sizes import Size

SHOWN = 20
OTHER = "not in the program"


def profile(size: Size) -> Iterator[Row]:
    """Of a step of DGS: each kind with what it is modelled at, then the longest kernels."""
    segment = prepared(size, "dgs")
    segment()
    taken = traced(segment)
    found = list(kernels(parse(segment.program.as_text() or "")))
    kinds = {kernel.name: kernel.kind for kernel in found}
    modelled = by_kind(found, segment.length)
    of_kinds = defaultdict[str, float](float)
    for name, seconds in taken.items():
        of_kinds[kinds.get(name, OTHER)] += seconds
    whole = sum(taken.values())
    yield Row("all kernels of a step", {"ms": 1e3 * whole}, "" if taken else "the profiler has seen none", not taken)
    for kind, seconds in _longest(of_kinds):
        figures = {"ms": 1e3 * seconds, "of all": seconds / whole}
        if kind in modelled and jax.default_backend() == "gpu":
            figures |= {"ms, modelled for an H100": 1e3 * modelled[kind].seconds, "kernels": modelled[kind].kernels}
        yield Row(f"kind: {kind}", figures)
    for place, (name, seconds) in enumerate(_longest(taken)[:SHOWN], 1):
        yield Row(f"{place}. {name}", {"ms": 1e3 * seconds}, kinds.get(name, OTHER))


def _longest(taken: Mapping[str, float]) -> list[tuple[str, float]]:
    return sorted(taken.items(), key=lambda item: -item[1])


def traced(segment: Segment) -> Mapping[str, float]:
    """Seconds of every instruction in one step."""
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            segment()
        (file,) = Path(folder).rglob("*.xplane.pb")
        return {
            name: seconds / segment.length
            for name, seconds in durations(jax.profiler.ProfileData.from_file(str(file))).items()
        }


def durations(data: Any) -> dict[str, float]:
    """Seconds by instruction of the program, of everything the device has done.

    Kernels of a GPU are on lines of its streams, instructions of a TPU on one of their own; further lines sum them up.
    A CPU's are on those of its threads.
    """
    taken = defaultdict[str, float](float)
    planes = list(data.planes)
    devices = [plane for plane in planes if plane.name.startswith("/device:") and list(plane.lines)]
    for plane in devices or planes:
        lines = list(plane.lines)
        chosen = [line for line in lines if line.name.startswith(("Stream", "XLA Ops"))] if devices else lines
        for line in chosen:
            for event in line.events:
                name = dict(event.stats).get("hlo_op")
                if name is not None or devices:
                    taken[str(name or event.name)] += event.duration_ns / 1e9
    return dict(taken)
