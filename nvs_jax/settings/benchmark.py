"""Options of `nvs-jax benchmark`. No JAX here."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from nvs_jax.errors import InputError
from nvs_jax.settings import DepthKind, RenderSettings
from nvs_jax.settings.ranges import Between, Ranged

Layout = Literal["seva", "re10k", "posed", "paper", "davis"]


@dataclass(frozen=True, kw_only=True)
class BenchmarkJob(Ranged, group="--"):
    """Scores on a benchmark of the field that lies on this disk. A run that was broken off goes on."""

    split: Positional[Layout]
    """seva: folders with transforms.json and train_test_split_P.json; re10k: RealEstate10K's text files with frames;
    posed: a folder a scene, such as Tanks and Temples; paper: photos, orbited to both sides, and videos, neither with a
    truth; davis: videos of DAVIS. docs/benchmark.md says where they are published."""
    data: Path
    """The folder that holds it; nothing is downloaded."""
    weights: str
    """A checkpoint made by `nvs-jax convert`, a folder in diffusers' layout, an svd*.safetensors, a hub id, or demo,
    the small model in the package."""
    preset: str | None = None
    """As of a render: fast, no-cfg, lcm4, paper, reference, the weights' best, or a YAML file; by default fast, with
    what the weights bring on top of it."""
    out: Path = Path("out/benchmark")
    """The folder for results.jsonl, pictures/ and report.md. Earlier results in it are used."""
    inputs: Annotated[int, Between(1, 100)] = 1
    """Given pictures a scene: P of train_test_split_P.json; of other layouts the first ones."""
    targets: Annotated[int | None, Between(1, 10_000)] = None
    """At most so many targets a scene, evenly spaced; None: all."""
    subset: Literal["val", "train", "all"] = "val"
    """Of davis: the list in its ImageSets that says which videos; all: every one that is there."""
    scenes: Annotated[int | None, Between(1, 100_000)] = None
    """The first so many scenes, by name; None: all."""
    distance: Annotated[float | None, Between(1e-6, 1e6)] = None
    """Of what is in the middle of the given picture, in the cameras' units, for depth that is estimated or
    disparity, of scenes without points; None: that of the point which all cameras look at."""
    shorter_side: Annotated[int | None, Between(8, 8192)] = None
    """Rows or columns, whichever are fewer, of the videos of posed scenes, whose shape is the given picture's; None: of
    seva 576, of others as --picture.* say."""
    compared: Literal["layout", "all", "square"] = "layout"
    """Which part of a frame is scored: all of it, or the square in its middle; layout: the square of seva, else all."""
    compared_side: Annotated[int | None, Between(8, 8192)] = None
    """The shorter side of what is scored, to which it is resampled: 256 for SEVA's re10k-4dim and re10k-pixelsplat."""
    depth_weights: str = "depth-anything/Depth-Anything-V2-Small-hf"
    """Of scenes without depth of their own: a Depth Anything V2, a folder in transformers' layout or a hub id."""
    depth_kind: DepthKind = "depth"
    """What depth maps hold that the scenes name or that lie in depth/ of paper and davis."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Of all networks but the VAE, which is float32."""
    seed: Annotated[int, Between(0, 2**31 - 1)] = 0
    """Of the noise."""
    lpips: Path | None = None
    """A safetensors file of LPIPS's weights, which is then measured; docs/benchmark.md says how it is made."""
    keep_frames: bool = False
    """Keep the scored frames of every row, and the true ones, as frames/ROW/SCENE/VIDEO/*.png."""
    cameras: bool = False
    """Look for the poses of all frames with COLMAP (extra poses), and report ATE, RPE-T and RPE-R. Keeps frames."""
    camera_files: Path | None = None
    """Instead, a folder of TUM files made elsewhere of kept frames: ROW/SCENE/VIDEO.txt, numbers of frames as times."""
    fid: Path | None = None
    """Inception's weights as torch-fidelity publishes them: FID and KID are measured (extra fid). Keeps frames."""
    fid_of_few: bool = False
    """Measure FID and KID of fewer than 1,000 pictures, too."""
    shard: tuple[int, int] | None = None
    """Which share of the scenes to measure, and how many there are: 0 2 and 1 2 on two machines measure all of them.
    Whoever is done last writes the report of all."""
    settings: Annotated[RenderSettings, arg(name="")] = field(default_factory=RenderSettings)
    """Every setting of the render."""

    def __post_init__(self):
        super().__post_init__()
        if self.shard is not None and not 0 <= self.shard[0] < self.shard[1]:
            raise InputError(f"--shard must be a number and how many there are, such as 0 2, not {self.shard}")
        if self.cameras and self.camera_files is not None:
            raise InputError("--cameras looks for poses that --camera-files has: give one of them")
