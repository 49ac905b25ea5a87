"""What Stable Video Diffusion alone is told. No JAX here."""

from dataclasses import dataclass
from typing import Annotated

from nvs_jax.settings.ranges import TINY, Between, Ranged


@dataclass(frozen=True)
class SVDSettings(Ranged, group="svd."):
    """What Stable Video Diffusion alone is told; models of other families ignore it."""

    motion_bucket: Annotated[int, Between(0, 1000)] = 127
    """How much motion the model expects, 0 to 255."""
    noise_aug: Annotated[float, Between(0, 100)] = 0.02
    """Standard deviation of the noise added to the picture before it is encoded."""
    mixed_context: bool = False
    """The release's mixed-up cross-attention context in the temporal layers."""
    target_scale: Annotated[float | None, Between(TINY, 1e6)] = None
    """The warped views' latents are divided by this; None: by the inverse of the VAE's own scale. The release: 5.6."""
