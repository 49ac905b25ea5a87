"""Whether a render fits on a device: what is there anyway, and what each program adds while it runs."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nvs_jax.errors import InputError
from nvs_jax.planning.devices import Device, default_mesh
from nvs_jax.planning.programs import Model
from nvs_jax.planning.request import Program, Request
from nvs_jax.planning.table import Entry

Basis = Literal["compiled", "measured", "scaled", "fewer", "estimated"]
"""Compiled for this plan; compiled earlier for the same sizes, or for others; or concluded from fewer chips, or from
another chip."""

GPU_WORKSPACE = 600 * 2**20
"""What cuDNN and cuBLAS borrow to be fast, which the compiler does not know before it has tried them: an allowance."""

Temporary = Callable[[Program, Request], tuple[int, Basis]]
"""Bytes that a program needs between its arguments and its results, and where the number comes from."""


@dataclass(frozen=True)
class Phase:
    """One program of a render. Bytes on the device while it runs.

    Attributes:
        program: which.
        weights: of all networks that are on the device.
        data: pictures, latents, results.
        temporary: of the program.
        basis: where `temporary` comes from.
    """

    program: Program
    weights: int
    data: int
    temporary: int
    basis: Basis

    @property
    def total(self) -> int:
        return self.weights + self.data + self.temporary


def phases(model: Model, request: Request, temporary: Temporary, *, low_memory: bool, chips: int = 1) -> list[Phase]:
    """A render's programs in their order.

    Args:
        model: its networks.
        request: sizes and settings.
        temporary: what programs need between arguments and results.
        low_memory: only the network at work is on the device.
        chips: that share the work.
    """
    uses = model.family.uses
    sizes = {component: model.weight_bytes(component, request.dtype) for component in model.networks().configs}
    if request.divided:
        sizes[uses["sample"]] //= chips
    data = _data(model, request)
    return [
        Phase(
            program,
            sizes[uses[program]] if low_memory else sum(sizes.values()),
            data[program],
            *temporary(program, request),
        )
        for program in model.programs()
    ]


def _data(model: Model, request: Request) -> dict[Program, int]:
    """Bytes of pictures and latents on the device, float32, by program."""
    lattice = model.told(request).lattice
    latents = 4 * math.prod(lattice.latent_shape(request.frames, request.height, request.width))
    # The given view, and of every other frame its warp, which pixels are valid, and which are holes.
    pictures = request.pixels * (12 + (request.frames - 1) * (12 + 2))
    conditioned = pictures + 3 * latents  # and X^, the noise, and the latents themselves
    return {
        "embed": pictures,
        "encode": pictures + 12 * request.pixels * (request.frames - 1) + latents,  # and the warps, holes black
        "sample": conditioned + latents,
        "decode": conditioned + 12 * request.pixels * request.frames,  # and the video
    }


def from_table(entries: Sequence[Entry], device: Device, model: Model) -> Temporary:
    """Temporary bytes concluded from a table of compiled programs.

    Figures for as many chips are looked for first, then for fewer of them, then for another chip. They are interpolated
    over what a program works on at a time.
    Where a dtype is not in the table, another's figure is scaled with its width.

    Raises:
        InputError: (of the result) the table has nothing comparable.
    """

    def temporary(program: Program, request: Request) -> tuple[int, Basis]:
        shared = _share(program, request, device.chips)
        candidates = [entry for entry in entries if entry.program == program]
        for found, chips, concluded in _nearest_first(candidates, device):
            share = shared / _share(program, request, chips)
            for settings, width in _settings(model, program, request):
                points: dict[int, int] = {}
                for one in found:
                    if one.settings == settings:
                        points[one.at_once] = max(one.temporary, points.get(one.at_once, 0))
                if not points:
                    continue
                at_once = request.at_once(program)
                fixed = GPU_WORKSPACE if device.kind == "gpu" else 0
                size = share * width * _interpolated(points, at_once) + fixed
                known: Basis = "measured" if at_once in points and width == 1 else "scaled"
                return int(size) + _canvas(model, program, request), concluded or known
        raise InputError(
            f"there is no figure for {program} with {request.settings(program)}: install libtpu to compile"
        )

    return temporary


def _nearest_first(
    entries: Sequence[Entry], device: Device
) -> Iterator[tuple[Sequence[Entry], int, Literal["fewer", "estimated"] | None]]:
    """Entries of one kind of chip and one number of chips, that number, and how far from the device they are."""
    for own in (True, False):
        alike = [entry for entry in entries if (entry.chip == device.name) == own and entry.chips <= device.chips]
        for chips in sorted({entry.chips for entry in alike}, reverse=True):
            concluded = "estimated" if not own else None if chips == device.chips else "fewer"
            yield [entry for entry in alike if entry.chips == chips], chips, concluded


def _share(program: Program, request: Request, chips: int) -> float:
    """A chip's part of what one chip alone needs between arguments and results: of the UNet's frames and branches.

    The VAE's encoder works on one picture at a time wherever it is, and of its decoder the largest arrays are results.
    """
    if program != "sample" or chips == 1:
        return 1
    branches, parts, _ = default_mesh(chips)
    return -(-request.frames // parts) / request.frames / branches


def _canvas(model: Model, program: Program, request: Request) -> int:
    """What tiles need besides themselves: the canvas on which they are put together."""
    if request.tile is None or program in ("embed", "sample"):
        return 0
    canvas = request.pixels * min(request.chunk, request.frames) * 12
    return 2 * canvas if program == "decode" else 2 * canvas // model.told(request).lattice.cell ** 2


def _settings(model: Model, program: Program, request: Request) -> list[tuple[str, float]]:
    """Settings to look for in the table, best first, each with the factor that makes up for the difference."""
    wanted = [(request.settings(program), 1.0)]
    if request.tile is not None:
        wanted = [(replace(request, tile=None).settings(program), 1.0)]
    if request.vae_dtype != "float32":  # no more than in float32
        wanted += [(replace(request, tile=None, vae_dtype="float32").settings(program), 1.0)]
    width = model.family.held_dtype(model.family.uses["sample"], request.dtype, None).itemsize / 2
    like_bfloat16 = replace(request, dtype="bfloat16", tile=None).settings(program)
    both = replace(request, dtype="bfloat16", tile=None, sequential=False).settings(program)
    half = 0.5 if request.sequential else 1.0
    found = [*wanted, (like_bfloat16, width), (both, width * half)]
    if request.divided:
        found += _settings(model, program, replace(request, divided=False))
    if request.method == "post" and request.gradient == "skip":
        # One evaluation more, before the step and without guidance: the step's own two branches need more.
        found += _settings(model, program, replace(request, method="dgs"))
    return found


def _interpolated(points: Mapping[int, int], at: int) -> float:
    """Straight lines from nothing through the points, and on in proportion to the last; never falling.

    >>> _interpolated({10: 100, 20: 150}, 5), _interpolated({10: 100, 20: 150}, 15), _interpolated({10: 100}, 30)
    (50.0, 125.0, 300.0)
    """
    sizes = sorted(points)
    if at > sizes[-1]:
        return points[sizes[-1]] * at / sizes[-1]
    return float(np.interp(at, [0, *sizes], np.maximum.accumulate([0, *(points[size] for size in sizes)])))
