"""Wan's VAE: videos of 1 + 4 k frames to 1 + k latent frames and back, one latent frame at a time."""

import itertools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Conv
from nvs_jax.models.wan.config import VAEConfig
from nvs_jax.models.wan.vae.blocks import MidBlock, ResidualBlock, ResidualDownBlock, ResidualUpBlock, UpBlock
from nvs_jax.models.wan.vae.causal import (
    ChannelNorm,
    Layer,
    Memory,
    Part,
    causal,
    causal_conv,
    in_order,
    without_memory,
)
from nvs_jax.models.wan.vae.resampling import Downsample, from_patches, to_patches
from nvs_jax.sharding import constrain


class Encoder(nnx.Module):
    """`WanEncoder3d`."""

    def __init__(self, config: VAEConfig):
        widths = [config.base_dim * factor for factor in (1, *config.dim_mult)]
        levels = len(config.dim_mult)
        self.conv_in = causal_conv(config.in_channels, widths[0])
        self.down_blocks = nnx.List([])
        for level, (in_channels, out_channels) in enumerate(itertools.pairwise(widths)):
            halved = level < levels - 1
            through_time = halved and config.temperal_downsample[level]
            if config.is_residual:
                block = ResidualDownBlock(
                    in_channels, out_channels, config.num_res_blocks, halved=halved, through_time=through_time
                )
                self.down_blocks.append(block)
                continue
            inputs = (in_channels, *(out_channels,) * (config.num_res_blocks - 1))
            self.down_blocks.extend([ResidualBlock(channels, out_channels) for channels in inputs])
            if halved:
                self.down_blocks.append(Downsample(out_channels, through_time=through_time))
        self.mid_block = MidBlock(widths[-1])
        self.norm_out = ChannelNorm(widths[-1], 3)
        self.conv_out = causal_conv(widths[-1], 2 * config.z_dim)

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Moments of the next latent frame: of the first frame, then of four at a time."""
        layers = (causal(self.conv_in), *self.down_blocks, self.mid_block, *_head(self.norm_out, self.conv_out))
        return in_order(layers, x, memory)


class Decoder(nnx.Module):
    """`WanDecoder3d`."""

    def __init__(self, config: VAEConfig):
        factors = config.dim_mult[::-1]
        widths = [(config.decoder_base_dim or config.base_dim) * factor for factor in (factors[0], *factors)]
        self.conv_in = causal_conv(config.z_dim, widths[0])
        self.mid_block = MidBlock(widths[0])
        self.up_blocks = nnx.List([])
        kind = ResidualUpBlock if config.is_residual else UpBlock
        doubles = (*config.temperal_downsample[::-1], False)
        for level, (in_channels, out_channels) in enumerate(itertools.pairwise(widths)):
            left = in_channels if config.is_residual or level == 0 else in_channels // 2  # of the doubling before
            doubled = level < len(factors) - 1
            block = kind(left, out_channels, config.num_res_blocks + 1, doubled=doubled, through_time=doubles[level])
            self.up_blocks.append(block)
        self.norm_out = ChannelNorm(widths[-1], 3)
        self.conv_out = causal_conv(widths[-1], config.out_channels)

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """The frames of the next latent frame: one of the first, then four of each."""
        layers = (causal(self.conv_in), self.mid_block, *self.up_blocks, *_head(self.norm_out, self.conv_out))
        return in_order(layers, x, memory)


class VAE(nnx.Module):
    """`AutoencoderKLWan`.

    Pictures are in [-1, 1]. Latents are as the network gives them: without the published means and deviations.
    """

    def __init__(self, config: VAEConfig):
        self.encoder = Encoder(config)
        self.quant_conv = Conv(2 * config.z_dim, 2 * config.z_dim, (1, 1, 1))
        self.post_quant_conv = Conv(config.z_dim, config.z_dim, (1, 1, 1))
        self.decoder = Decoder(config)
        self.patch = config.patch_size or 1
        self.frame_step = config.frame_step

    def encode(self, video: Float[Array, "b n H W i"]) -> Float[Array, "b f h w c"]:
        """The most likely latents of videos of 1 + 4 k frames, whose rows and columns the stride divides."""
        moments = self.quant_conv(_in_parts(self.encoder, to_patches(video, self.patch), self.frame_step))
        return jnp.split(moments, 2, axis=-1)[0]

    def decode(self, latents: Float[Array, "b f h w c"]) -> Float[Array, "b n H W o"]:
        """The frames of latents, about in [-1, 1]."""
        return from_patches(_in_parts(self.decoder, self.post_quant_conv(latents), 1), self.patch)


def _head(norm: ChannelNorm, conv: Conv) -> tuple[Layer, Layer]:
    return without_memory(lambda y: jax.nn.silu(norm(y))), causal(conv)


def _in_parts(
    network: Callable[[Part, Memory], tuple[Part, Memory]], x: Float[Array, "b n h w c"], step: int
) -> Float[Array, "b m h2 w2 d"]:
    """`network` of the first frame, then of `step` at a time, in the memory that one such part takes."""
    first, memory = network(constrain(x[:, :1], "columns"), None)
    if x.shape[1] == 1:
        return first
    parts = x[:, 1:].reshape(len(x), -1, step, *x.shape[2:]).swapaxes(0, 1)

    def one(memory: Memory, part: Part) -> tuple[Memory, Part]:
        made, memory = network(constrain(part, "columns"), memory)
        return memory, constrain(made, "columns")

    rest = jax.lax.scan(one, memory, parts)[1].swapaxes(0, 1)
    return jnp.concatenate([first, rest.reshape(len(x), -1, *rest.shape[3:])], axis=1)
