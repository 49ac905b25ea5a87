"""Residual blocks of SVD: one that sees a frame, one that sees a location through time, and both of them blended."""

from typing import ClassVar, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.layers import Conv, GroupNorm, Linear, parameter
from nvs_jax.models.svd.layout import per_frame, through_time

# Every group norm of SVD has this many groups.
GROUPS = 32


class _ResnetBlock(nnx.Module):
    """norm, SiLU, convolution, plus time embedding; norm, SiLU, convolution; plus the input.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output; where they differ the input passes through a 1x1 convolution.
        temb_channels: width of the time embedding; None for a block without one.
        epsilon: of both norms.
    """

    kernel: ClassVar[tuple[int, ...]]

    def __init__(self, in_channels: int, out_channels: int, *, temb_channels: int | None, epsilon: float):
        self.norm1 = GroupNorm(GROUPS, in_channels, epsilon)
        self.conv1 = Conv(in_channels, out_channels, self.kernel)
        self.time_emb_proj = None if temb_channels is None else Linear(temb_channels, out_channels)
        self.norm2 = GroupNorm(GROUPS, out_channels, epsilon)
        self.conv2 = Conv(out_channels, out_channels, self.kernel)
        pointwise = (1,) * len(self.kernel)
        self.conv_shortcut = None if in_channels == out_channels else Conv(in_channels, out_channels, pointwise)

    def __call__(
        self, x: Float[Array, "n *size i"], temb: Float[Array, "#n t"] | None = None
    ) -> Float[Array, "n *size o"]:
        """Apply the block.

        Args:
            x: activations; the norms take their statistics over all of `size`.
            temb: time embedding, exactly where the block was built with `temb_channels`; a single row is for all n.
        """
        y = jax.nn.silu(self.norm1(x))
        if self.time_emb_proj is None:
            y = self.conv1(y)
        else:
            assert temb is not None, "this block was built with a time embedding"
            shift = self.time_emb_proj(jax.nn.silu(temb))
            if len(shift) == 1:
                # As a part of the bias: added to the result, it would first be written out at the result's size.
                y = self.conv1(y, shift[0])
            else:
                y = self.conv1(y) + jnp.expand_dims(shift, tuple(range(1, y.ndim - 1)))
        y = self.conv2(jax.nn.silu(self.norm2(y)))
        return y + (x if self.conv_shortcut is None else self.conv_shortcut(x))


class ResnetBlock2D(_ResnetBlock):
    """Residual block of pictures [n, h, w, c], 3x3 convolutions."""

    kernel = (3, 3)


class TemporalResnetBlock(_ResnetBlock):
    """Residual block of videos [n, f, h, w, c], convolutions over three frames."""

    kernel = (3, 1, 1)


class AlphaBlender(nnx.Module):
    """`a spatial + (1 - a) temporal`, with one learned number `mix_factor`.

    Args:
        strategy: "learned" takes a = sigmoid(mix_factor), "fixed" a = mix_factor. (The original's "learned_with_images"
            differs from "learned" for still pictures only, which do not occur here.)
        switch: exchange the two, as the VAE's decoder does.
    """

    def __init__(
        self,
        strategy: Literal["learned", "fixed"] = "learned",
        *,
        switch: bool = False,
    ):
        self.strategy, self.switch = strategy, switch
        self.mix_factor = parameter(1)

    def __call__(self, spatial: Float[Array, "*n c"], temporal: Float[Array, "*n c"]) -> Float[Array, "*n c"]:
        """Blend; the weight is computed in float32 and rounded to the dtype of `spatial`."""
        factor = self.mix_factor[...]
        alpha = factor if self.strategy == "fixed" else jax.nn.sigmoid(factor)
        alpha = (1 - alpha if self.switch else alpha).astype(spatial.dtype)
        return alpha * spatial + (1 - alpha) * temporal


class SpatioTemporalResBlock(nnx.Module):
    """A residual block for each frame, then one through time on its result, blended.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        temb_channels: width of the time embedding; None for a block without one.
        epsilon: of the spatial norms.
        temporal_epsilon: of the temporal norms; None for the same.
        blender: how the two are blended; None for the UNet's way.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        temb_channels: int | None,
        epsilon: float,
        temporal_epsilon: float | None = None,
        blender: AlphaBlender | None = None,
    ):
        temporal_epsilon = epsilon if temporal_epsilon is None else temporal_epsilon
        self.spatial_res_block = ResnetBlock2D(in_channels, out_channels, temb_channels=temb_channels, epsilon=epsilon)
        self.temporal_res_block = TemporalResnetBlock(
            out_channels, out_channels, temb_channels=temb_channels, epsilon=temporal_epsilon
        )
        self.time_mixer = AlphaBlender() if blender is None else blender

    def __call__(
        self, x: Float[Array, "b f h w i"], temb: Float[Array, "#b t"] | None = None
    ) -> Float[Array, "b f h w o"]:
        """Apply both blocks; `temb` is the same for all frames of a batch element, a single row for all elements."""
        shared = () if temb is None else (temb,)
        spatial = per_frame(self.spatial_res_block, x, *shared)
        return self.time_mixer(spatial, through_time(self.temporal_res_block, spatial, *shared))
