"""The one attention layer of the VAE's encoder and of its decoder, over the pixels of their coarsest level."""

from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.attention import attention
from nvs_jax.models.layers import GroupNorm, Linear
from nvs_jax.models.svd.resnet import GROUPS


class PixelAttention(nnx.Module):
    """Residual self-attention among the pixels of a picture, with a single head as wide as the channels."""

    def __init__(self, channels: int):
        self.group_norm = GroupNorm(GROUPS, channels, 1e-6)
        self.to_q = Linear(channels, channels)
        self.to_k = Linear(channels, channels)
        self.to_v = Linear(channels, channels)
        self.to_out = nnx.List([Linear(channels, channels)])

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        """Every pixel attends to all pixels of its picture."""
        n, _, _, c = x.shape
        pixels = self.group_norm(x).reshape(n, -1, 1, c)
        attended = attention(self.to_q(pixels), self.to_k(pixels), self.to_v(pixels))
        return x + self.to_out[0](attended).reshape(x.shape)
