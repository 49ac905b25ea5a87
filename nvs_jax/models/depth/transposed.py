"""Transposed convolution whose steps do not overlap: every pixel becomes a block of pixels."""

from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import parameter


class BlockUpsample(nnx.Module):
    """`ConvTranspose2d` with a stride as large as its kernel.

    `weight` is [in, factor, factor, out]; published as [in, out, factor, factor].

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        factor: rows and columns that each pixel becomes.
    """

    def __init__(self, in_channels: int, out_channels: int, factor: int):
        self.factor = factor
        self.weight = parameter(in_channels, factor, factor, out_channels, published_axes=(0, 2, 3, 1))
        self.bias = parameter(out_channels)

    def __call__(self, x: Float[Array, "n h w i"]) -> Float[Array, "n h2 w2 o"]:
        """Apply in the dtype of `x`."""
        n, h, w, channels = x.shape
        s = self.factor
        weight = self.weight[...].astype(x.dtype)
        blocks = (x @ weight.reshape(channels, -1)).reshape(n, h, w, s, s, -1)
        y = blocks.transpose(0, 1, 3, 2, 4, 5).reshape(n, h * s, w * s, -1)
        return y + self.bias[...].astype(x.dtype)
