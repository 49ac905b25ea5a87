"""What is trained, on what, for how long. Tests take toy sizes."""

from dataclasses import dataclass, field
from typing import Literal

from nvs_jax.models.clip.config import ImageEncoderConfig
from nvs_jax.models.svd.config import UNetConfig, VAEConfig
from nvs_jax.scenes import SceneSettings


@dataclass(frozen=True)
class ClipSettings:
    """Videos of procedural scenes, whose cameras take random paths."""

    count: int = 1500
    """How many clips are rendered once and then used again and again."""
    held_out: int = 16
    """Clips of other scenes, to measure the loss on."""
    first_seed: int = 1_000_000
    """Of the first clip's scene. Evaluation takes seeds far below."""
    frames: int = 8
    height: int = 96
    width: int = 128
    samples: int = 2
    """Rays along each side of a pixel."""
    largest_turn: float = 45.0
    """Degrees about the origin between the first frame and the last, at most."""
    fields_of_view: tuple[float, float] = (40.0, 85.0)
    """Horizontal angles of the cameras in degrees, from the narrowest to the widest."""
    scenes: SceneSettings = SceneSettings(natural=0.5, rods=4)
    """Half of them as in photographs; evaluation has none of these unless asked to."""


@dataclass(frozen=True)
class OptimizerSettings:
    """Muon and Adam. Without `cool_down` a finished run can be made longer."""

    steps: int
    batch: int
    learning_rate: float
    held_out_batch: int = 32
    """Drawn from the held-out clips, the same every time."""
    warm_up: int = 50
    """First steps, over which the rate rises."""
    cool_down: int = 0
    """Last steps, over which the rate falls to a fiftieth."""
    clip_norm: float = 1.0
    average: float = 0.999
    """Decay of the running average of the weights, which is what is used in the end."""
    seed: int = 0


@dataclass(frozen=True)
class CodecSettings:
    """The VAE: a squared error, a faint pull of the latents towards N(0, 1)."""

    config: VAEConfig = VAEConfig(
        down_block_types=("DownEncoderBlock2D",) * 3,
        # Every group norm has 32 groups: 32 channels would be normalised one by one and lose their brightness.
        block_out_channels=(64, 64, 96),
        layers_per_block=1,
        latent_channels=16,
    )
    optimizer: OptimizerSettings = OptimizerSettings(steps=1400, batch=2, learning_rate=2e-3, cool_down=466)
    crop: tuple[int, int] = (48, 64)
    """Rows and columns it is trained on, cut out anywhere."""
    frames: int = 4
    """Consecutive frames decoded together."""
    divergence: float = 5e-5
    """Weight of the Kullback-Leibler divergence, a mean over latent values."""
    of_another: float = 0.5
    """Share of crops that have another's latents in a part of them."""


@dataclass(frozen=True)
class DenoiserSettings:
    """The UNet and the image encoder, trained together: v-prediction under SVD's distribution of noise."""

    unet: UNetConfig = UNetConfig(
        in_channels=32,
        out_channels=16,
        down_block_types=("DownBlockSpatioTemporal", "DownBlockSpatioTemporal", "CrossAttnDownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal",) * 3,
        block_out_channels=(64, 96, 96),
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=96,
        layers_per_block=(1, 1, 1),
        cross_attention_dim=(64, 64, 64),
        transformer_layers_per_block=((1,), (1,), (1,)),
        num_attention_heads=(1, 2, 2),
        num_frames=8,
    )
    image_encoder: ImageEncoderConfig = ImageEncoderConfig(
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=56,
        projection_dim=64,
    )
    optimizer: OptimizerSettings = OptimizerSettings(steps=3800, batch=4, learning_rate=2e-3, cool_down=1200)
    log_sigma: tuple[float, float] = (0.7, 1.6)
    """Mean and standard deviation of ln sigma, as SVD's image-to-video models."""
    drop_embedding: float = 0.1
    """How often the embedding alone is zero, as in Post's probe."""
    drop_both: float = 0.1
    """How often embedding and image latent are zero, as in the unconditional half of classifier-free guidance."""


@dataclass(frozen=True)
class MinutesSettings:
    """Training for minutes: clips are rendered on the device meanwhile, and a program makes many steps."""

    dtype: Literal["float32", "bfloat16"] | None = None
    """What networks compute in; weights, averages, moments and losses are float32. None: float32 on CPUs, bfloat16
    elsewhere."""
    codec: float = 0.30
    """Share of the time in which the VAE is trained; the UNet's if the VAE is kept."""
    denoiser: float = 0.65
    """Share in which UNet and image encoder are trained. The rest is for writing the weights."""
    cool_down: float = 0.3
    """Last part of a network's time, over which the rate falls to a fiftieth."""
    codec_batch: int | None = None
    """Crops. None: found by trying."""
    denoiser_batch: int | None = None
    """Clips. None: found by trying."""
    first_batch: int = 32
    """The first that is tried; then twice as many, and again. Compiling each takes a minute or two on a GPU."""
    largest_batch: int = 256
    gain: float = 1.3
    """How many times more examples a second twice the batch must give, to be worth making half as many steps."""
    trying: float = 0.2
    """First part of a network's time, in which batches are tried."""
    memory: float = 0.8
    """Part of the device's memory that a program may take."""
    steps: int = 25
    """Of a program. The rate is the same in all of them."""
    kept: int = 4096
    """How many clips the device holds; new ones replace the oldest."""
    first: int = 256
    """Clips that are rendered before the first step."""
    fresh: int = 32
    """Clips that are rendered before every program."""
    together: int = 16
    """Clips that are rendered in one go."""
    save_seconds: float = 30.0
    """Between checkpoints."""


@dataclass(frozen=True)
class TrainSettings:
    """The whole of it."""

    clips: ClipSettings = field(default_factory=ClipSettings)
    codec: CodecSettings = field(default_factory=CodecSettings)
    denoiser: DenoiserSettings = field(default_factory=DenoiserSettings)
    save_every: int = 250
    """Steps between checkpoints, and between measurements on the held-out clips."""
    by_minutes: MinutesSettings = field(default_factory=MinutesSettings)
    """How it is trained with --minutes, in place of `save_every` and the optimizers' steps, batches and cool-downs."""
