"""The levels of SVD's UNet: on the way down, at the bottom, and on the way up."""

import dataclasses
from collections.abc import Sequence
from itertools import repeat

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.svd.layout import per_frame
from nvs_jax.models.svd.resampling import Downsample2D, Upsample2D
from nvs_jax.models.svd.resnet import SpatioTemporalResBlock
from nvs_jax.models.svd.unet.transformer import MixedContext, TransformerSpatioTemporal
from nvs_jax.pytree import pytree, static


@pytree
class BlockInputs:
    """What every block is given beside the features.

    Attributes:
        temb: time embedding; a single row is for all batch elements.
        context: what the transformers attend to across.
        mixed_context: what their temporal blocks attend to instead, if not None.
        remat: for gradients, compute what is inside a layer again instead of keeping it.
    """

    temb: Float[Array, "#b t"]
    context: Float[Array, "b s d"]
    mixed_context: MixedContext | None = None
    remat: bool = static(default=False)


@dataclasses.dataclass(frozen=True)
class Level:
    """Sizes of one level.

    Attributes:
        channels: of its activations.
        temb_channels: of the time embedding.
        depths: pairs of transformer blocks in each transformer; None for a level without transformers.
        heads: of every attention.
        context_channels: of the context.
    """

    channels: int
    temb_channels: int
    depths: tuple[int, ...] | None
    heads: int
    context_channels: int

    def resnet(self, in_channels: int, epsilon: float) -> SpatioTemporalResBlock:
        """A residual block that ends on this level's channels."""
        return SpatioTemporalResBlock(in_channels, self.channels, temb_channels=self.temb_channels, epsilon=epsilon)

    def transformers(self, count: int) -> nnx.List:
        """The transformers that follow the first `count` residual blocks."""
        return nnx.List(
            [
                TransformerSpatioTemporal(self.channels, self.heads, depth, self.context_channels)
                for depth in (self.depths or ())[:count]
            ]
        )


class DownBlock(nnx.Module):
    """Residual blocks, each with its transformer if the level has them, then half the resolution.

    Args:
        in_channels: of the level above.
        level: this level's sizes.
        layers: number of residual blocks.
        downsample: whether a lower level follows.
    """

    def __init__(self, in_channels: int, level: Level, layers: int, *, downsample: bool):
        widths = (in_channels, *repeat(level.channels, layers - 1))
        # The published networks differ in this epsilon between levels with and without transformers.
        epsilon = 1e-5 if level.depths is None else 1e-6
        self.resnets = nnx.List([level.resnet(width, epsilon) for width in widths])
        self.attentions = level.transformers(layers) if level.depths else None
        self.downsamplers = nnx.List([Downsample2D(level.channels)]) if downsample else None

    def __call__(self, x: Float[Array, "b f h w i"], conditions: BlockInputs) -> list[Array]:
        """All outputs that the way up takes in again, in order; the last is also the next level's input."""
        outputs = []
        for resnet, transformer in zip(self.resnets, self.attentions or repeat(None), strict=False):
            x = _apply(resnet, transformer, x, conditions)
            outputs.append(x)
        if self.downsamplers is not None:
            outputs.append(per_frame(self.downsamplers[0], x))
        return outputs


class MidBlock(nnx.Module):
    """Residual block, transformer, residual block at the lowest resolution."""

    def __init__(self, level: Level):
        self.resnets = nnx.List([level.resnet(level.channels, 1e-5) for _ in range(2)])
        self.attentions = level.transformers(1)

    def __call__(self, x: Float[Array, "b f h w c"], conditions: BlockInputs) -> Float[Array, "b f h w c"]:
        """Apply all three."""
        x = _apply(self.resnets[0], self.attentions[0], x, conditions)
        return _apply(self.resnets[1], None, x, conditions)


class UpBlock(nnx.Module):
    """Residual blocks that take in what the way down left, with transformers likewise, then twice the resolution.

    Args:
        in_channels: of the level below.
        level: this level's sizes.
        skip_channels: of each output of the way down that is taken in, in the order of taking.
        upsample: whether a higher level follows.
    """

    def __init__(self, in_channels: int, level: Level, skip_channels: Sequence[int], *, upsample: bool):
        layers = len(skip_channels)
        widths = (in_channels, *repeat(level.channels, layers - 1))
        self.resnets = nnx.List(
            [level.resnet(width + skip, 1e-6) for width, skip in zip(widths, skip_channels, strict=True)]
        )
        self.attentions = level.transformers(layers) if level.depths else None
        self.upsamplers = nnx.List([Upsample2D(level.channels)]) if upsample else None

    def __call__(
        self, x: Float[Array, "b f h w i"], skips: Sequence[Array], conditions: BlockInputs
    ) -> Float[Array, "b f out_h out_w c"]:
        """Apply to the level below and the outputs of the way down, in the order of taking."""
        blocks = zip(self.resnets, self.attentions or repeat(None), skips, strict=False)
        for resnet, transformer, skip in blocks:
            x = _apply(resnet, transformer, jnp.concatenate([x, skip], axis=-1), conditions)
        return x if self.upsamplers is None else per_frame(self.upsamplers[0], x)


def _apply(
    resnet: SpatioTemporalResBlock, transformer: TransformerSpatioTemporal | None, x: Array, conditions: BlockInputs
) -> Array:
    """A layer: residual block and transformer."""

    def layer(x: Array, conditions: BlockInputs) -> Array:
        x = resnet(x, conditions.temb)
        return x if transformer is None else transformer(x, conditions.context, conditions.mixed_context)

    return (jax.checkpoint(layer) if conditions.remat else layer)(x, conditions)
