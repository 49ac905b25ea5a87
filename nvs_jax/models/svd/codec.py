"""SVD's VAE as the solver's codec: pictures in [0, 1] to latents in the denoiser's units, and back."""

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nvs_jax.models.cells import hidden_cells, hole_cells
from nvs_jax.models.svd.config import VAEConfig
from nvs_jax.models.svd.vae.network import VAE, decode_chunks, encode_chunks
from nvs_jax.models.svd.vae.tiling import Tiles
from nvs_jax.models.weights import Weights, bind
from nvs_jax.pytree import pytree, static
from nvs_jax.sharding import over_batch


@pytree
class SVDCodec:
    """Encodes each picture by itself, decodes frames in chunks.

    Attributes:
        weights: the VAE's.
        target_scale: latents are divided by this when encoded. The VAE's own is 1 / 0.18215 = 5.49; the release
            divides by 5.6.
        config: the VAE's.
        chunk: frames decoded together.
        tiles: parts of pictures that the VAE works on at a time; None for whole pictures.
        decode_dtype: what the VAE decodes in.
    """

    weights: Weights
    target_scale: float | Float[Array, ""]
    config: VAEConfig = static()
    chunk: int = static(default=8)
    tiles: Tiles | None = static(default=None)
    decode_dtype: str = static(default="float32")

    @property
    def stride(self) -> int:
        """Pixels along each side of a latent cell."""
        return self.config.stride

    def encode(self, pictures: Float[Array, "n H W 3"]) -> Float[Array, "n h w c"]:
        """Latents of pictures in [0, 1], in the denoiser's units."""
        return self.encode_unscaled(2 * pictures - 1) / self.target_scale

    def encode_unscaled(self, pictures: Float[Array, "n H W 3"]) -> Float[Array, "n h w c"]:
        """Latents of pictures in [-1, 1] as the VAE gives them, one picture at a time."""
        vae = bind(VAE(self.config), self.weights)
        return over_batch(lambda share: encode_chunks(vae, share, 1, self.tiles), pictures)

    def decode(self, latents: Float[Array, "b f h w c"]) -> Float[Array, "b f H W 3"]:
        """Frames in [0, 1]."""
        vae = bind(VAE(self.config), self.weights)
        unscaled = (latents / self.config.scaling_factor).astype(self.decode_dtype)
        frames = decode_chunks(vae, unscaled, self.chunk, self.tiles).astype(latents.dtype)
        return jnp.clip(frames / 2 + 0.5, 0.0, 1.0)

    def pool_mask(self, mask: Bool[Array, "n H W"]) -> Bool[Array, "n h w"]:
        """Cells of which at least a fifth of the pixels are True."""
        return hole_cells(mask, self.stride)

    def pool_visible(self, visible: Float[Array, "n H W"]) -> Float[Array, "n h w"]:
        """`pool_mask` without yes or no: 1 where nothing is hidden, a half at a fifth, 0 from two fifths on."""
        return 1 - hidden_cells(visible, self.stride)

    def pool_frames(self, values: Float[Array, "f"]) -> Float[Array, "f"]:
        """The identity."""
        return values
