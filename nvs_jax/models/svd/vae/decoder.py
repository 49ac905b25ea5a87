"""The VAE's temporal decoder: latents of consecutive frames to pictures that agree with each other."""

import jax
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Conv, GroupNorm
from nvs_jax.models.svd.config import VAEConfig
from nvs_jax.models.svd.layout import per_frame, through_time
from nvs_jax.models.svd.resampling import Upsample2D
from nvs_jax.models.svd.resnet import GROUPS, AlphaBlender, SpatioTemporalResBlock
from nvs_jax.models.svd.vae.attention import PixelAttention


class TemporalDecoder(nnx.Module):
    """The middle block, then up through the levels; a last convolution mixes each pixel with its neighbours in time."""

    def __init__(self, config: VAEConfig):
        widths = config.block_out_channels[::-1]
        self.conv_in = Conv(config.latent_channels, widths[0], (3, 3))
        self.mid_block = MidBlockTemporalDecoder(widths[0], config.layers_per_block)
        self.up_blocks = nnx.List(
            [
                UpBlockTemporalDecoder(wide, narrow, config.layers_per_block + 1, upsample=level < len(widths) - 1)
                for level, (wide, narrow) in enumerate(zip((widths[0], *widths), widths, strict=False))
            ]
        )
        self.conv_norm_out = GroupNorm(GROUPS, widths[-1], 1e-6)
        self.conv_out = Conv(widths[-1], config.out_channels, (3, 3))
        self.time_conv_out = Conv(config.out_channels, config.out_channels, (3, 1, 1))

    def __call__(self, latents: Float[Array, "b f h w c"]) -> Float[Array, "b f H W o"]:
        """Decode; all f frames are one temporal group, whose convolutions through time are padded with zeros."""
        x = per_frame(self.conv_in, latents)
        x = self.mid_block(x)
        for block in self.up_blocks:
            x = block(x)
        x = per_frame(lambda frames: self.conv_out(jax.nn.silu(self.conv_norm_out(frames))), x)
        return through_time(self.time_conv_out, x)


class MidBlockTemporalDecoder(nnx.Module):
    """Residual blocks at the coarsest level, attention between the first two.

    As published there is one attention layer whatever the number of residual blocks, and it is followed by one block:
    a third block, or the attention of a middle with a single block, has weights that are never used.
    """

    def __init__(self, channels: int, layers: int):
        self.resnets = nnx.List([_resnet(channels, channels) for _ in range(layers)])
        self.attentions = nnx.List([PixelAttention(channels)])

    def __call__(self, x: Float[Array, "b f h w c"]) -> Float[Array, "b f h w c"]:
        x = self.resnets[0](x)
        for attention, resnet in zip(self.attentions, self.resnets[1:], strict=False):
            x = resnet(per_frame(attention, x))
        return x


class UpBlockTemporalDecoder(nnx.Module):
    """One level: residual blocks, then double the rows and columns unless it is the last."""

    def __init__(self, in_channels: int, out_channels: int, layers: int, *, upsample: bool):
        self.resnets = nnx.List([_resnet(out_channels if i else in_channels, out_channels) for i in range(layers)])
        self.upsamplers = nnx.List([Upsample2D(out_channels)] if upsample else [])

    def __call__(self, x: Float[Array, "b f h w i"]) -> Float[Array, "b f h2 w2 o"]:
        for resnet in self.resnets:
            x = resnet(x)
        for upsampler in self.upsamplers:
            x = per_frame(upsampler, x)
        return x


def _resnet(in_channels: int, out_channels: int) -> SpatioTemporalResBlock:
    """The decoder's blend gives sigmoid(mix_factor) to the temporal block, the opposite of the UNet's."""
    return SpatioTemporalResBlock(
        in_channels,
        out_channels,
        temb_channels=None,
        epsilon=1e-6,
        temporal_epsilon=1e-5,
        blender=AlphaBlender("learned", switch=True),
    )
