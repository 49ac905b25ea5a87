"""What encoder and decoder are built of. Every block is a layer of `nvs_jax.models.wan.vae.causal`."""

import itertools

import jax
from flax import nnx

from nvs_jax.models.attention import attention
from nvs_jax.models.layers import Conv
from nvs_jax.models.wan.vae.causal import (
    ChannelNorm,
    Memory,
    Part,
    causal,
    causal_conv,
    in_order,
    without_memory,
)
from nvs_jax.models.wan.vae.resampling import Downsample, Upsample, averaged, repeated


class ResidualBlock(nnx.Module):
    """`WanResidualBlock`: norm, SiLU and convolution, twice, added to the input."""

    def __init__(self, in_channels: int, out_channels: int):
        self.norm1 = ChannelNorm(in_channels, 3)
        self.conv1 = causal_conv(in_channels, out_channels)
        self.norm2 = ChannelNorm(out_channels, 3)
        self.conv2 = causal_conv(out_channels, out_channels)
        self.conv_shortcut = Conv(in_channels, out_channels, (1, 1, 1)) if in_channels != out_channels else None

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Apply to a part."""
        layers = (
            without_memory(lambda y: jax.nn.silu(self.norm1(y))),
            causal(self.conv1),
            without_memory(lambda y: jax.nn.silu(self.norm2(y))),
            causal(self.conv2),
        )
        y, remembered = in_order(layers, x, memory)
        return y + (x if self.conv_shortcut is None else self.conv_shortcut(x)), remembered


class AttentionBlock(nnx.Module):
    """`WanAttentionBlock`: attention of the cells of each frame to each other, with one head."""

    def __init__(self, channels: int):
        self.norm = ChannelNorm(channels, 2)
        self.to_qkv = Conv(channels, 3 * channels, (1, 1))
        self.proj = Conv(channels, channels, (1, 1))

    def __call__(self, x: Part) -> Part:
        """Apply to every frame."""
        b, t, h, w, c = x.shape
        frames = x.reshape(b * t, h, w, c)
        qkv = self.to_qkv(self.norm(frames)).reshape(b * t, h * w, 3, 1, c)
        y = attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2])
        return x + self.proj(y.reshape(frames.shape)).reshape(x.shape)


class MidBlock(nnx.Module):
    """`WanMidBlock`: attention between two residual blocks."""

    def __init__(self, channels: int):
        self.resnets = nnx.List([ResidualBlock(channels, channels), ResidualBlock(channels, channels)])
        self.attentions = nnx.List([AttentionBlock(channels)])

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Apply to a part."""
        first, second = self.resnets
        return in_order((first, without_memory(self.attentions[0]), second), x, memory)


class ResidualDownBlock(nnx.Module):
    """`WanResidualDownBlock`, of Wan2.2: blocks and halving, beside which averages of the input go.

    Args:
        in_channels: of the input.
        out_channels: of the output.
        blocks: residual blocks.
        halved: rows and columns; None leaves all as it is.
        through_time: whether frames are halved, too.
    """

    def __init__(self, in_channels: int, out_channels: int, blocks: int, *, halved: bool, through_time: bool):
        self.channels, self.frames, self.cells = out_channels, 1 + through_time, 1 + halved
        widths = (in_channels, *(out_channels,) * blocks)
        self.resnets = nnx.List([ResidualBlock(*pair) for pair in itertools.pairwise(widths)])
        self.downsampler = Downsample(out_channels, through_time=through_time) if halved else None

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Apply to a part."""
        layers = [*self.resnets, *([] if self.downsampler is None else [self.downsampler])]
        y, remembered = in_order(layers, x, memory)
        return y + averaged(x, self.channels, self.frames, self.cells), remembered


class UpBlock(nnx.Module):
    """`WanUpBlock`: residual blocks and doubling, which halves channels.

    Args:
        in_channels: of the input.
        out_channels: of the blocks.
        blocks: residual blocks.
        doubled: rows and columns.
        through_time: whether frames are doubled, too.
    """

    def __init__(self, in_channels: int, out_channels: int, blocks: int, *, doubled: bool, through_time: bool):
        widths = (in_channels, *(out_channels,) * blocks)
        self.resnets = nnx.List([ResidualBlock(*pair) for pair in itertools.pairwise(widths)])
        self.upsamplers = nnx.List([])
        if doubled:
            self.upsamplers.append(Upsample(out_channels, out_channels // 2, through_time=through_time))

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Apply to a part."""
        return in_order([*self.resnets, *self.upsamplers], x, memory)


class ResidualUpBlock(nnx.Module):
    """`WanResidualUpBlock`, of Wan2.2: blocks and doubling, beside which repeats of the input go; see `UpBlock`."""

    def __init__(self, in_channels: int, out_channels: int, blocks: int, *, doubled: bool, through_time: bool):
        self.channels, self.frames = out_channels, 1 + through_time
        widths = (in_channels, *(out_channels,) * blocks)
        self.resnets = nnx.List([ResidualBlock(*pair) for pair in itertools.pairwise(widths)])
        self.upsampler = Upsample(out_channels, out_channels, through_time=through_time) if doubled else None

    def __call__(self, x: Part, memory: Memory) -> tuple[Part, Memory]:
        """Apply to a part; of the first frame only one is made."""
        if self.upsampler is None:
            return in_order(list(self.resnets), x, memory)
        y, remembered = in_order([*self.resnets, self.upsampler], x, memory)
        beside = repeated(x, self.channels, self.frames, 2)
        return y + (beside[:, self.frames - 1 :] if memory is None else beside), remembered
