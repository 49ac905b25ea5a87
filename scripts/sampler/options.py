"""What the benchmark of the sampler compares: options of the command, and the settings they stand for."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

from nvs_jax.errors import InputError
from nvs_jax.settings import Method, SolverKind
from nvs_jax.settings.jobs import Dtype
from nvs_jax.settings.ranges import Between, Ranged

if TYPE_CHECKING:
    GuidanceName: TypeAlias = str
else:
    GuidanceName = Literal[Method, "post-full"]


@dataclass(frozen=True)
class Setting:
    """What runs have in common that are compared with one another: a panel of the picture.

    Attributes:
        guidance: its name.
        frames: of the video.
        height: latent rows.
        width: latent columns.
        dtype: of the UNet; None: the stored one.
        mesh: parts by branches, frames and rows; None: one device without a mesh.
    """

    guidance: str
    frames: int
    height: int
    width: int
    dtype: Dtype | None
    mesh: tuple[int, int, int] | None

    def __str__(self) -> str:
        size = f"{self.guidance}, {self.frames} x {self.height} x {self.width}"
        mesh = "" if self.mesh is None else f", mesh {'x'.join(map(str, self.mesh))}"
        return f"{size}{'' if self.dtype is None else f', {self.dtype}'}{mesh}"


@dataclass(frozen=True)
class Options(Ranged, group="--"):
    """Times whole sampling runs: every solver with every guidance, number of steps, size, dtype and mesh."""

    weights: str | None = None
    """As in `nvs_jax.load`; a small UNet with random weights without."""
    solvers: tuple[SolverKind, ...] = get_args(SolverKind)
    """To compare."""
    guidance: tuple[GuidanceName, ...] = ("none", "dgs", "post")
    """To compare; post-full differentiates through the network."""
    steps: Annotated[tuple[int, ...], Between(1, 10_000)] = (10, 25)
    """To compare."""
    frames: Annotated[tuple[int, ...], Between(1, 10_000)] = (8,)
    """Of the video; to compare."""
    height: Annotated[tuple[int, ...], Between(1, 10_000)] = (16,)
    """Latent rows; to compare, each with the columns at its place."""
    width: Annotated[tuple[int, ...], Between(1, 10_000)] = (16,)
    """Latent columns, as many numbers as rows have."""
    dtype: tuple[Dtype, ...] = ()
    """Of the UNet, to compare; the stored one without."""
    mesh: tuple[str, ...] = ()
    """Of devices, to compare: parts by branches, frames and rows, as 1x4x2; one device without."""
    repeats: Annotated[int, Between(1, 1000)] = 3
    """Timed runs of each; the median counts."""
    reference_steps: Annotated[int, Between(0, 10_000)] = 100
    """Of the run that quality is measured by, in float32 on one device; 0: none."""
    reference_solver: SolverKind = "adams3"
    """Of that run."""
    peak: float | None = None
    """TFLOP/s that the device could do, where it is not known by its name."""
    against: Literal["nothing", "torch"] = "nothing"
    """torch also times the release's loop around diffusers' UNet, as it is and compiled."""
    out: Path = Path("out/bench_sampler")
    """Folder for bench.md, bench.json and bench.png."""

    def __post_init__(self):
        super().__post_init__()
        if len(self.height) != len(self.width):
            raise InputError(f"--height has {len(self.height)} numbers and --width {len(self.width)}: give pairs")
        one = len(self.mesh) + len(self.dtype) == 0 or (not self.mesh and self.dtype == ("float32",))
        if self.against == "torch" and (self.weights is None or not one):
            raise InputError("--against torch needs --weights in diffusers' layout, float32 and no mesh")

    def settings(self) -> Iterator[Setting]:
        """All combinations but those of solver and steps.

        >>> [str(one) for one in Options(guidance=("dgs",), frames=(2, 4), mesh=("1x2x1",)).settings()]
        ['dgs, 2 x 16 x 16, mesh 1x2x1', 'dgs, 4 x 16 x 16, mesh 1x2x1']

        Raises:
            InputError: a mesh that is none.
        """
        sizes = zip(self.height, self.width, strict=True)
        dtypes, meshes = self.dtype or (None,), tuple(map(_mesh, self.mesh)) or (None,)
        for guidance, frames, size, dtype, mesh in itertools.product(self.guidance, self.frames, sizes, dtypes, meshes):
            yield Setting(guidance, frames, *size, dtype, mesh)


def _mesh(text: str) -> tuple[int, int, int]:
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise InputError(f"--mesh takes branches, frames and rows, as 1x4x2, not {text!r}")
    branches, frames, rows = map(int, parts)
    return branches, frames, rows
