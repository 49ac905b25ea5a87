"""What a plan is about: the sizes and settings that memory depends on. No JAX here."""

from dataclasses import asdict, dataclass
from typing import Literal

from nvs_jax.errors import InputError
from nvs_jax.settings import Gradient, Guided

Program = Literal["embed", "encode", "sample", "decode"]
PROGRAMS: tuple[Program, ...] = ("embed", "encode", "sample", "decode")
"""A render's programs, in the order in which they run."""


@dataclass(frozen=True)
class Request:
    """A render, as far as its memory goes.

    Attributes:
        frames: of the video.
        height: rows of pixels.
        width: columns of pixels.
        dtype: of all networks but the VAE, whose numbers are float32.
        method: of guidance.
        gradient: of Post.
        sequential: branches of classifier-free guidance one after the other.
        chunk: frames decoded together.
        tile: rows and columns of pixels that the VAE works on; None for whole pictures.
        overlap: of tiles, in pixels.
        vae_dtype: what the VAE decodes in.
        divided: several chips divide the weights of the network that samples, of which else each has all.
    """

    frames: int = 25
    height: int = 576
    width: int = 1024
    dtype: str = "bfloat16"
    method: Guided = "dgs"
    gradient: Gradient = "skip"
    sequential: bool = False
    chunk: int = 8
    tile: tuple[int, int] | None = None
    overlap: int = 64
    vae_dtype: Literal["float32", "bfloat16"] = "float32"
    divided: bool = False

    def __post_init__(self):
        if not (
            2 <= self.frames <= 2000 and 64 <= min(self.height, self.width) <= max(self.height, self.width) <= 8192
        ):
            raise InputError("a plan needs 2 to 2000 frames of 64 to 8192 rows and columns")

    @property
    def pixels(self) -> int:
        return self.height * self.width

    def settings(self, program: Program) -> str:
        """What the program's memory depends on besides sizes, as a key of the table."""
        match program:
            case "embed":
                return self.dtype
            case "encode":
                return "whole" if self.tile is None else "tiles"
            case "decode":
                return ("whole" if self.tile is None else "tiles") + "-bfloat16" * (self.vae_dtype == "bfloat16")
            case "sample":
                method = self.method if self.method == "dgs" else f"post-{self.gradient}"
                return f"{method}-{self.dtype}" + "-sequential" * self.sequential + "-divided" * self.divided

    def at_once(self, program: Program) -> int:
        """What the program's own memory grows with: frames times pixels that it works on at a time."""
        rows, columns = (self.height, self.width) if self.tile is None else self.tile
        area = min(rows, self.height) * min(columns, self.width)
        match program:
            case "embed":
                return 1
            case "encode":
                return area
            case "decode":
                return area * min(self.chunk, self.frames)
            case "sample":
                return self.pixels * self.frames

    def divides(self, program: Program) -> bool:
        """Whether a program's weights are divided among chips."""
        return self.divided and program == "sample"

    def as_dict(self) -> dict[str, object]:
        return asdict(self)
