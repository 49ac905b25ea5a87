"""The VAE's encoder: pictures to the moments of their latents, each picture on its own."""

import jax
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Conv, GroupNorm
from nvs_jax.models.svd.config import VAEConfig
from nvs_jax.models.svd.resampling import Downsample2D
from nvs_jax.models.svd.resnet import GROUPS, ResnetBlock2D
from nvs_jax.models.svd.vae.attention import PixelAttention

EPSILON = 1e-6


class Encoder(nnx.Module):
    """Down through the levels, then the middle block, at the coarsest."""

    def __init__(self, config: VAEConfig):
        widths = config.block_out_channels
        self.conv_in = Conv(config.in_channels, widths[0], (3, 3))
        self.down_blocks = nnx.List(
            [
                DownEncoderBlock2D(narrow, wide, config.layers_per_block, downsample=level < len(widths) - 1)
                for level, (narrow, wide) in enumerate(zip((widths[0], *widths), widths, strict=False))
            ]
        )
        self.mid_block = MidBlock2D(widths[-1])
        self.conv_norm_out = GroupNorm(GROUPS, widths[-1], EPSILON)
        self.conv_out = Conv(widths[-1], 2 * config.latent_channels, (3, 3))

    def __call__(self, x: Float[Array, "n H W i"]) -> Float[Array, "n h w m"]:
        """Mean and log-variance of the latents, one after the other on channels, before `quant_conv`."""
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        x = self.mid_block(x)
        return self.conv_out(jax.nn.silu(self.conv_norm_out(x)))


class DownEncoderBlock2D(nnx.Module):
    """One level: residual blocks, then half the rows and columns unless it is the last."""

    def __init__(self, in_channels: int, out_channels: int, layers: int, *, downsample: bool):
        self.resnets = nnx.List([_resnet(out_channels if i else in_channels, out_channels) for i in range(layers)])
        # The encoder pads only after the last row and column.
        self.downsamplers = nnx.List([Downsample2D(out_channels, (0, 1))] if downsample else [])

    def __call__(self, x: Float[Array, "n h w i"]) -> Float[Array, "n h2 w2 o"]:
        for layer in (*self.resnets, *self.downsamplers):
            x = layer(x)
        return x


class MidBlock2D(nnx.Module):
    """Attention between two residual blocks."""

    def __init__(self, channels: int):
        self.resnets = nnx.List([_resnet(channels, channels) for _ in range(2)])
        self.attentions = nnx.List([PixelAttention(channels)])

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


def _resnet(in_channels: int, out_channels: int) -> ResnetBlock2D:
    return ResnetBlock2D(in_channels, out_channels, temb_channels=None, epsilon=EPSILON)
