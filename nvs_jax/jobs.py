"""What can be asked for on the command line, as data. No JAX here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from nvs_jax.settings import RenderSettings

Dtype = Literal["float32", "bfloat16", "float16"]


@dataclass(frozen=True)
class WarpJob:
    """Only the warps, in seconds: to try a path before rendering it."""

    photo: Positional[Path]
    """The given view."""
    depth: Path
    """Its depth: .npy, .npz, .pfm, or a greyscale .png of 16 bits."""
    depth_kind: Literal["depth", "disparity"]
    """What the file holds: depth in scene units (large is far), or disparity (large is near)."""
    out: Path
    """The folder to make."""
    preset: str = "fast"
    """fast, paper, reference, or a YAML file of settings; single settings can be changed below."""
    png_scale: float = 1000.0
    """Of a .png depth: stored values a scene unit."""
    overwrite: bool = False
    """Replace what is in the folder."""
    settings: Annotated[RenderSettings, arg(name="")] = field(default_factory=RenderSettings)
    """Every setting of the render."""


@dataclass(frozen=True, kw_only=True)
class SingleJob(WarpJob):
    """One photo with its depth to a video of new views."""

    weights: str
    """A checkpoint made by `nvs-jax convert`, or a folder in diffusers' layout."""
    seed: int = 0
    """Of all random numbers."""
    dtype: Dtype | None = None
    """Of the UNet and the image encoder; the default keeps the stored one. The VAE is always float32."""
    method: Literal["dgs", "post", "none"] | None = None
    """In place of the preset's guidance method."""
    steps: int | None = None
    """In place of the preset's number of solver steps."""


@dataclass(frozen=True)
class ConvertJob:
    """Published weights to a checkpoint that loads faster."""

    source: Positional[Path]
    """A folder in diffusers' layout."""
    destination: Positional[Path]
    """The checkpoint to make."""
    dtype: Dtype | None = None
    """Of the UNet and the image encoder; the default keeps the stored one."""
    overwrite: bool = False
    """Replace a checkpoint that is already there."""


@dataclass(frozen=True)
class DemoJob:
    """A whole run on an embedded example, with nothing to download."""

    out: Path = Path("out/demo")
    """The folder to make."""
    seed: int = 0
    """Of the scene and of the noise."""
    overwrite: bool = False
    """Replace what is in the folder."""


Job = SingleJob | WarpJob | ConvertJob | DemoJob
