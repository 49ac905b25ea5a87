"""What can be asked for on the command line, as data. No JAX here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from nvs_jax.errors import InputError
from nvs_jax.saying import LogKind
from nvs_jax.settings import DepthKind, Gradient, Guided, MemorySettings, Method, RenderSettings
from nvs_jax.settings.evaluation import EVALUATION_SEEDS, FITTING_SEEDS, BenchmarkSettings
from nvs_jax.settings.ranges import Between, Ranged

Dtype = Literal["float32", "bfloat16", "float16"]
AUTO = Path("auto")
"""In place of a file of depth: estimate it."""


@dataclass(frozen=True)
class MeshOptions(Ranged, group="--mesh."):
    """How many devices share the work of a render, and how; docs/sharding.md says what is best."""

    branches: Annotated[int, Between(1, 1000)] = 1
    """2: the two branches of classifier-free guidance beside each other."""
    frames: Annotated[int, Between(1, 1000)] = 1
    """Parts of the video."""
    rows: Annotated[int, Between(1, 1000)] = 1
    """Parts of every frame."""
    weights: bool = False
    """Each device keeps a part of every layer's weights, and gathers a layer's when its turn comes: for models of which
    no device has room for all."""
    hosts: bool = False
    """The devices are those of several processes, which all run this command and meet through `jax.distributed`; the
    first one writes the result. Where one is missing the others say which, and exit with 69."""

    @property
    def size(self) -> int:
        """Devices in all."""
        return self.branches * self.frames * self.rows


@dataclass(frozen=True, kw_only=True)
class RenderJob(Ranged):
    """What every render has in common."""

    out: Path
    """The folder to make."""
    weights: str | None = None
    """A checkpoint made by `nvs-jax convert`, a folder in diffusers' layout, an svd*.safetensors, a hub id, or demo,
    the small model in the package."""
    preview: bool = False
    """Only the warps, in seconds and without weights: to try a path before rendering it."""
    preset: str | None = None
    """fast, no-cfg, lcm4, paper, reference, or a YAML file of settings; by default fast, with what the weights bring on
    top of it (preset.yaml in their folder), or best, what has measured best with them. Single settings can be changed
    below."""
    seed: Annotated[int, Between(0, 2**32 - 1)] = 0
    """Of all random numbers."""
    dtype: Dtype | None = None
    """Of all networks but the VAE, which is float32; by default bfloat16 on an accelerator, float32 on a CPU."""
    low_memory: bool = False
    """Keep one network on the device at a time: read it when its turn comes, and free it after."""
    mesh: MeshOptions = field(default_factory=MeshOptions)
    """Devices that share the work."""
    method: Method | None = None
    """In place of the preset's guidance method."""
    steps: int | None = None
    """In place of the preset's number of solver steps."""
    png_scale: Annotated[float | None, Between(1e-9, 1e9)] = None
    """Of a .png depth: stored values a scene unit; by default what a posed scene says of its own, and 1000."""
    depth_weights: str = "depth-anything/Depth-Anything-V2-Small-hf"
    """Of --depth auto: a Depth Anything V2, a folder in transformers' layout or a hub id, which is downloaded."""
    overwrite: bool = False
    """Replace an earlier result in the folder; anything else is left alone."""
    resume: bool = False
    """Go on where an earlier run of the same command was interrupted, if one was."""
    log: LogKind = "text"
    """Of what is said on standard error: text for people, or json, an event a line for machines."""
    profile: Path | None = None
    """A folder for a trace of one segment of the sampling, the second, by JAX's profiler."""
    watch: Path | None = None
    """A .png for a picture of the latents after every segment of the sampling, in colours made by a linear map."""
    settings: Annotated[RenderSettings, arg(name="")] = field(default_factory=RenderSettings)
    """Every setting of the render."""


@dataclass(frozen=True, kw_only=True)
class SingleJob(RenderJob):
    """One photo to a video of new views."""

    photo: Positional[Path]
    """The given view."""
    depth: Path = AUTO
    """Its depth: .npy, .npz, .exr, .pfm, or a greyscale .png of 16 bits; auto: estimate it."""
    depth_kind: DepthKind | None = None
    """What the file holds: depth in scene units (large is far; z along the camera's axis, not along the rays; 0 is
    unknown), or disparity (large is near; 0 is infinitely far). auto knows."""
    conditions: Path | None = None
    """A folder with warps/ and holes/ made elsewhere, as an earlier result has them; they replace the warps."""


@dataclass(frozen=True, kw_only=True)
class WarpJob(SingleJob):
    """Only the warps of a photo, in seconds and without weights: short for `single --preview`."""

    preview: bool = True
    """Only the warps, in seconds and without weights: to try a path before rendering it."""


@dataclass(frozen=True, kw_only=True)
class VideoJob(RenderJob):
    """A video from a camera that stands still, seen from a moving one."""

    frames: Positional[Path]
    """A folder of pictures, in the order of the numbers in their names, or a video file."""
    depth: Path = AUTO
    """A folder of depth maps, as many, in the same order, or one .npz, .npy or grey video of them; auto: estimate
    them."""
    depth_kind: DepthKind | None = None
    """What the files hold: depth in scene units (large is far; z along the camera's axis, not along the rays; 0 is
    unknown), or disparity (large is near; 0 is infinitely far). auto knows."""


@dataclass(frozen=True, kw_only=True)
class ViewsJob(RenderJob):
    """Two or more posed views, and everything between them."""

    scene: Positional[Path]
    """A COLMAP model, transforms.json, an .npz of VGGT or Depth Anything 3, a folder of DTU, MVSNet or Tanks and
    Temples; or a folder of photos, whose poses are then found (extra `poses`)."""
    depth: Path | None = None
    """A folder of depth maps that lie and are named as the pictures, such as COLMAP's stereo/depth_maps; auto: estimate
    them, and fit them to the points of a COLMAP model; by default the scene's own, and auto where it has none."""
    depth_kind: DepthKind | None = None
    """What the files hold: depth in scene units (large is far; z along the camera's axis, not along the rays; 0 is
    unknown; the default), or disparity (large is near), which is fitted to the points of a COLMAP model."""
    cameras: tuple[int, ...] = ()
    """Which of the scene's cameras to visit, in this order, counted from 0; none: all."""


@dataclass(frozen=True)
class BatchJob:
    """Many renders, one after the other. Those that are there are skipped, an interrupted one goes on, those that fail
    are named while the rest is rendered; exits with 1 if any failed."""

    jobs: Positional[Path]
    """A YAML file with a list of jobs, or a folder with a YAML file for each; or a folder of photos, or a pattern such
    as 'photos/*.jpg', of which each becomes a job named after it. See docs/long_runs.md."""
    out: Path
    """The folder for the results, a folder in it for each, and summary.json."""
    defaults: Path | None = None
    """Of photos: a YAML file with the options that all have, as `defaults` in a list of jobs; by default defaults.yaml
    in their folder."""
    shard: tuple[int, int] | None = None
    """Which share of the jobs to do, and how many there are: 0 2 and 1 2 on two machines do all of them. By default
    what a scheduler of array jobs says in the environment (Kubernetes, Slurm, Cloud Run, SkyPilot, ...), else all."""
    distributed: bool = False
    """Ask the cluster (a TPU pod, Slurm, ...) which of its processes this is, in place of --shard."""
    log: LogKind = "text"
    """Of what is said on standard error: text for people, or json, an event a line for machines."""

    def __post_init__(self):
        if self.shard is None:
            return
        index, count = self.shard
        if not 0 <= index < count:
            raise InputError(
                f"--shard must be a number and how many there are, such as 0 2 and 1 2, not {index} {count}"
            )
        if self.distributed:
            raise InputError("give --distributed or --shard, not both")


@dataclass(frozen=True)
class ConvertJob:
    """Published weights to a checkpoint that loads faster."""

    source: Positional[str]
    """A folder in diffusers' layout, an original svd*.safetensors, or a hub id such as
    stabilityai/stable-video-diffusion-img2vid-xt, which is downloaded."""
    destination: Positional[Path]
    """The checkpoint to make."""
    dtype: Dtype | None = None
    """Of all networks but the VAE, which is float32; the default keeps the stored one."""
    variant: Literal["full", "fp16"] = "full"
    """Of a folder or a hub id: the weights in full or in half precision; the other where one is missing."""
    model: Literal["svd", "svd_xt", "svd_xt_1_1"] | None = None
    """What an svd*.safetensors is; the default tells by its name."""
    prompts: tuple[str, ...] = ()
    """Of models that are told in words: prompts that renders can then be given without the text encoder, beside the
    model's own."""
    unet: Path | None = None
    """A .safetensors file whose UNet takes the place of the source's, such as AnimateLCM-SVD-xt.safetensors, for
    --preset lcm4."""
    overwrite: bool = False
    """Replace a checkpoint that is already there; anything else is left alone."""


@dataclass(frozen=True)
class CheckJob(Ranged, group="--"):
    """Are these weights sound and rightly read? Exits with 1 if not."""

    weights: Positional[str]
    """A checkpoint made by `nvs-jax convert`, a folder in diffusers' layout, an svd*.safetensors, a hub id, or demo,
    the small model in the package."""
    size: Annotated[tuple[int, int], Between(1, 4096)] = (256, 384)
    """Rows and columns of the pictures it is tried on."""
    frames: Annotated[int | None, Between(2, 1000)] = None
    """Of the clip; None: what the model was trained on, 14 at most."""
    dtype: Dtype | None = None
    """Of all networks but the VAE, which is float32; the default keeps the stored one. float32 and bfloat16 are tried
    anyway."""
    seed: Annotated[int, Between(0, 2**31 - 1)] = 0
    """Of the scenes and of the noise."""


@dataclass(frozen=True)
class PlanJob(Ranged, group="--"):
    """Does a render fit on a device, how long will it take, and how is it divided? Says so before it runs, and what
    would make it fit; exits with 0 if it fits, 1 if not."""

    device: str
    """v5e:1, v6e:1, v5p:1 or v4:1, a TPU chip; v5e:8, several that share a render (2, 4, 8, 16 or 32); or gpu:24GB, a
    GPU and its memory."""
    model: str = "svd_xt"
    """svd, svd_xt, svd_xt_1_1, wan2_1_t2v_1_3b, wan2_1_vace_1_3b, wan2_1_i2v_14b_480p, wan2_1_i2v_14b_720p,
    wan2_2_ti2v_5b, or weights."""
    frames: int | None = None
    """Of the video; by default what the model was trained on."""
    steps: Annotated[int | None, Between(1, 1000)] = None
    """Of the solver, for the time it takes; by default what suits the model."""
    height: int | None = None
    """Rows of pixels; by default what suits the model."""
    width: int | None = None
    """Columns of pixels; by default what suits the model."""
    dtype: Dtype = "bfloat16"
    """Of all networks but the VAE, which is float32."""
    method: Guided | Literal["none"] = "dgs"
    """Of guidance."""
    gradient: Gradient = "skip"
    """Of post: see `guidance.gradient`."""
    low_memory: bool = False
    """One network on the device at a time."""
    decode_chunk: int = 8
    """Frames decoded together."""
    memory: MemorySettings = field(default_factory=MemorySettings)
    """Slower for less memory."""
    divide_weights: bool = False
    """Each of several chips keeps a part of the weights of the network that samples: --mesh.weights of a render."""
    figures: Literal["auto", "compile", "table"] = "auto"
    """Ask the device's compiler, which takes minutes, or a table of what it said before; auto: the compiler where it is
    installed (libtpu; for GPUs the extra gpu-compiler)."""


@dataclass(frozen=True)
class EvaluateJob(Ranged, group="--"):
    """How close do videos come to the truth? PSNR, SSIM and cameras on scenes that nothing was trained on. A run that
    was broken off goes on."""

    weights: Positional[str]
    """A checkpoint made by `nvs-jax convert`, a folder in diffusers' layout, an svd*.safetensors, a hub id, or demo,
    the small model in the package."""
    out: Path = Path("out/evaluation")
    """The folder for results, report.md and curves. Earlier results in it are used, those of other weights kept."""
    quick: bool = False
    """A few methods on four scenes with ten steps: minutes in place of hours."""
    scenes: Annotated[int | None, Between(1, len(EVALUATION_SEEDS))] = None
    """On how many scenes; None: all, or four of quick."""
    detail_scenes: Annotated[int | None, Between(0, len(EVALUATION_SEEDS))] = None
    """On how many of them the tables after the first are measured, and cameras; None: all, 0: leave that out."""
    fitting_scenes: Annotated[int, Between(1, len(FITTING_SEEDS))] = len(FITTING_SEEDS)
    """On how many other scenes the trust in the warped view is fitted first."""
    fit: Path | None = None
    """A fit.json of trust in the warped view, in place of fitting it."""
    cameras: bool = False
    """Measure how accurate the cameras are, too, for the methods of the first table."""
    dtype: Dtype = "float32"
    """Of all networks but the VAE, which is float32."""
    settings: Annotated[BenchmarkSettings, arg(name="")] = field(default_factory=BenchmarkSettings)
    """Pictures and path."""


@dataclass(frozen=True)
class DepthJob:
    """The depth of a photo, of a folder of photos or of a video's frames, by Depth Anything V2."""

    source: Positional[Path]
    """A photo, a folder of photos, or a video file."""
    weights: str = "depth-anything/Depth-Anything-V2-Small-hf"
    """A Depth Anything V2: a folder in transformers' layout (config.json, model.safetensors), or a hub id, which is
    downloaded."""
    out: Path = Path("out/depth")
    """The folder to make: maps/ (.npy), png/ (16 bits), colours/, run.json."""
    overwrite: bool = False
    """Replace an earlier result in the folder; anything else is left alone."""


@dataclass(frozen=True)
class DemoJob:
    """A whole run on an embedded example, with nothing to download."""

    out: Path = Path("out/demo")
    """The folder to make."""
    seed: int = 4
    """Of the scene and of the noise."""
    overwrite: bool = False
    """Replace an earlier result in the folder; anything else is left alone."""


@dataclass(frozen=True)
class StudioJob(Ranged, group="--"):
    """Choose a path in the browser: see the warps at once, render, watch. Needs the extra studio."""

    source: Positional[Path | None] = None
    """A photo, a video, a scene of posed views, or the folder of a result; none: a procedural scene."""
    depth: Path | None = None
    """As of single, video and views: files, or auto, which is the default where a scene has none of its own."""
    depth_kind: DepthKind | None = None
    """What the files hold: depth in scene units (large is far), or disparity (large is near)."""
    png_scale: Annotated[float | None, Between(1e-9, 1e9)] = None
    """Of a .png depth: stored values a scene unit."""
    depth_weights: str = "depth-anything/Depth-Anything-V2-Small-hf"
    """Of --depth auto: a Depth Anything V2, a folder in transformers' layout or a hub id, which is downloaded."""
    weights: str | None = None
    """To render with, as of single; without, the warps can be looked at."""
    preset: str | None = None
    """fast, no-cfg, lcm4, paper, reference, the weights' best, or a YAML file of settings, to begin with."""
    out: Path = Path("out/studio")
    """The folder that a render makes, unless the page says another."""
    host: str = "127.0.0.1"
    """The address to listen at. Whoever reaches it sees the pictures and can render: there is no password."""
    port: Annotated[int, Between(1, 65535)] = 8080
    """Of the page."""


Job = (
    StudioJob
    | SingleJob
    | VideoJob
    | ViewsJob
    | BatchJob
    | ConvertJob
    | CheckJob
    | EvaluateJob
    | PlanJob
    | DepthJob
    | DemoJob
)
