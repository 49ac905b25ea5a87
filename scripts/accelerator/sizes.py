"""How large a benchmark is: networks, video, and what of it is measured how often. No JAX and no PyTorch here."""

from dataclasses import dataclass, field, replace
from typing import Literal

from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.svd.config import UNetConfig, VAEConfig

SizeName = Literal["toy", "full"]

PEAKS = {"v4": 275, "v5 lite": 197, "v5p": 459, "v6 lite": 918, "A100": 312, "L4": 121, "H100": 989, "H200": 989}
"""Dense TFLOP/s in bfloat16, as the makers state them, by a part of the device's name."""


@dataclass(frozen=True)
class Networks:
    """Configurations of a model's networks; by default the published SVD's."""

    unet: UNetConfig = UNetConfig()
    vae: VAEConfig = VAEConfig()
    image_encoder: ImageEncoderConfig = ImageEncoderConfig()


SMALL = Networks(
    unet=UNetConfig(
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        block_out_channels=(32, 64),
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        layers_per_block=(1, 1),
        cross_attention_dim=(16, 16),
        transformer_layers_per_block=((1,), (1,)),
        num_attention_heads=(1, 2),
    ),
    vae=VAEConfig(down_block_types=("DownEncoderBlock2D",) * 2, block_out_channels=(32, 64), layers_per_block=1),
    image_encoder=ImageEncoderConfig(
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=28,
        projection_dim=16,
    ),
)
"""Two levels, each of one layer: compiles in seconds."""


@dataclass(frozen=True)
class Size:
    """What is measured.

    Attributes:
        name: for the command line.
        networks: the model's.
        frames: of the video.
        height: rows of pixels.
        width: columns of pixels.
        steps: of the sampler.
        dtype: of the UNet and the image encoder.
        tile: how many random numbers weights are cut from.
        copied: bytes that the copy reads and writes together.
        product: rows and columns of the square matrices that are multiplied.
        tokens: lengths of sequences at which attention is checked.
        runs: that are timed, the median of which counts.
        warm: runs before them.
        whole_runs: of a whole render, after the first.
        released_steps: of the recorded run of the release that are made again.
        precisions: at which svd-tiny is compared.
        torch_dtypes: of PyTorch's UNet.
        modes: of the embedded model's renders.
    """

    name: SizeName = "full"
    networks: Networks = field(default_factory=Networks)
    frames: int = 25
    height: int = 576
    width: int = 1024
    steps: int = 25
    dtype: str = "bfloat16"
    tile: int = 2**25
    copied: int = 8 * 10**9
    product: int = 8192
    tokens: tuple[int, ...] = (9216, 2304, 576, 25)
    runs: int = 5
    warm: int = 2
    whole_runs: int = 2
    released_steps: int = 4
    precisions: tuple[str, ...] = ("float32", "default", "bfloat16")
    torch_dtypes: tuple[str, ...] = ("bfloat16", "float16")
    modes: tuple[str, ...] = ("a photo, DGS", "a photo, Post", "a video", "two views", "once round")

    @property
    def few(self) -> "Size":
        """The same with fewer runs, for what takes seconds."""
        return replace(self, warm=1, runs=min(3, self.runs))

    @property
    def cells(self) -> tuple[int, int]:
        """Rows and columns of the latents."""
        return self.height // self.networks.vae.stride, self.width // self.networks.vae.stride


FULL = Size()
TOY = Size(
    name="toy",
    networks=SMALL,
    frames=3,
    height=16,
    width=16,
    steps=10,
    whole_runs=1,
    dtype="float32",
    tile=2**16,
    copied=2**20,
    product=64,
    tokens=(25,),
    runs=2,
    warm=1,
    released_steps=0,
    precisions=("float32",),
    torch_dtypes=("float32",),
    modes=("a photo, DGS",),
)
SIZES: dict[SizeName, Size] = {"toy": TOY, "full": FULL}
TOY_BOX = 120.0
"""Seconds that any stage may take at toy size: a machine that runs tests is a busy one."""
