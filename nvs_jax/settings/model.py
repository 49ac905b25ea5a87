"""What any video model is told besides the views, and what its memory depends on. No JAX here."""

from dataclasses import dataclass
from typing import Annotated, Literal

from nvs_jax.settings.ranges import Between, Ranged, require, require_interval

Holes = Literal["filled", "black"]


@dataclass(frozen=True)
class ConditioningSettings(Ranged, group="conditioning."):
    """What any video model is told besides the views; what those of one family alone are told has the family's name."""

    fps: Annotated[int, Between(1, 240)] = 7
    """Frames a second of the video the model is asked for (it is told one less)."""
    guidance_scale: tuple[float, float] = (1.0, 3.0)
    """Classifier-free guidance at the first and at the last frame; 1 at both evaluates one branch instead of two."""
    guidance_interval: Annotated[tuple[float, float] | None, Between(0, 1e6)] = None
    """Noise levels between which classifier-free guidance is on; elsewhere one branch is evaluated. None: all."""
    holes: Holes = "filled"
    """What holes of the warped views hold when these are encoded: their surroundings, or black as in the release. The
    VAE normalises over whole pictures, so that black changes what it says of everything else."""

    def __post_init__(self):
        super().__post_init__()
        require_interval("conditioning.guidance_interval", self.guidance_interval)


@dataclass(frozen=True)
class MemorySettings(Ranged, group="memory."):
    """What a render's memory depends on, and with it time or exactness; docs/memory.md says how much."""

    tile: Annotated[tuple[int, int] | None, Between(8, 8192)] = None
    """Rows and columns of pixels that the VAE works on at a time; None: whole pictures. Tiles change the result a
    little."""
    tile_overlap: Annotated[int, Between(0, 8192)] = 64
    """Of tile: pixels that neighbours share, over which one fades into the other."""
    sequential_guidance: bool = False
    """Evaluate the two branches of classifier-free guidance one after the other instead of together."""
    vae_dtype: Literal["float32", "bfloat16"] = "float32"
    """What the VAE decodes in. bfloat16 takes half the memory and on GPUs half the time, for a little noise.
    Encoding is always in float32."""

    def __post_init__(self):
        super().__post_init__()
        require(
            self.tile is None or self.tile_overlap < min(self.tile),
            f"memory.tile_overlap must be smaller than memory.tile, not {self.tile_overlap}",
        )
