"""DPT's neck: the backbone's features at four resolutions, fused from the coarsest to the finest."""

from collections.abc import Sequence

import jax
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.depth.config import DepthConfig
from nvs_jax.models.depth.resampling import resize
from nvs_jax.models.depth.transposed import BlockUpsample
from nvs_jax.models.layers import Conv


class Neck(nnx.Module):
    """`DepthAnythingNeck`."""

    def __init__(self, config: DepthConfig):
        self.reassemble_stage = ReassembleStage(config)
        width = config.fusion_hidden_size
        self.convs = nnx.List([Conv(channels, width, (3, 3), bias=False) for channels in config.neck_hidden_sizes])
        self.fusion_stage = FusionStage(config)

    def __call__(self, features: Sequence[Float[Array, "n h w d"]]) -> list[Float[Array, "n _ _ c"]]:
        """Fused features, coarsest first; the last has twice the rows and columns of the finest reassembled ones."""
        reassembled = zip(self.reassemble_stage.layers, features, strict=True)
        levels = [conv(layer(x)) for conv, (layer, x) in zip(self.convs, reassembled, strict=True)]
        return self.fusion_stage(levels)


class ReassembleStage(nnx.Module):
    """One layer for each output of the backbone."""

    def __init__(self, config: DepthConfig):
        wide, factors = config.reassemble_hidden_size, config.reassemble_factors
        self.layers = nnx.List(
            [
                ReassembleLayer(wide, width, factor)
                for width, factor in zip(config.neck_hidden_sizes, factors, strict=True)
            ]
        )


class ReassembleLayer(nnx.Module):
    """Fewer channels, and `factor` times the rows and columns."""

    def __init__(self, in_channels: int, channels: int, factor: float):
        self.projection = Conv(in_channels, channels, (1, 1))
        self.resize = _resizing(channels, factor)

    def __call__(self, x: Float[Array, "n h w i"]) -> Float[Array, "n h2 w2 o"]:
        x = self.projection(x)
        return x if self.resize is None else self.resize(x)


def _resizing(channels: int, factor: float) -> BlockUpsample | Conv | None:
    if factor > 1:
        return BlockUpsample(channels, channels, int(factor))
    return None if factor == 1 else Conv(channels, channels, (3, 3), stride=int(1 / factor))


class FusionStage(nnx.Module):
    """One layer for each level, from the coarsest."""

    def __init__(self, config: DepthConfig):
        self.layers = nnx.List([FusionLayer(config.fusion_hidden_size) for _ in config.neck_hidden_sizes])

    def __call__(self, levels: Sequence[Float[Array, "n _ _ c"]]) -> list[Float[Array, "n _ _ c"]]:
        """What each layer makes of its level and of the coarser ones, at the size of the next finer level."""
        coarse_first = levels[::-1]
        height, width = coarse_first[-1].shape[1:3]
        sizes = [(level.shape[1], level.shape[2]) for level in coarse_first[1:]] + [(2 * height, 2 * width)]
        fused, outputs = None, []
        for layer, level, size in zip(self.layers, coarse_first, sizes, strict=True):
            fused = layer(level, fused, size)
            outputs.append(fused)
        return outputs


class FusionLayer(nnx.Module):
    """Adds a level to the coarser ones, and resizes the sum. The first layer's `residual_layer1` is never used."""

    def __init__(self, channels: int):
        self.projection = Conv(channels, channels, (1, 1))
        self.residual_layer1 = ResidualLayer(channels)
        self.residual_layer2 = ResidualLayer(channels)

    def __call__(
        self, level: Float[Array, "n h w c"], coarser: Float[Array, "n h w c"] | None, size: tuple[int, int]
    ) -> Float[Array, "n h2 w2 c"]:
        """The sum at `size`."""
        x = level if coarser is None else coarser + self.residual_layer1(level)
        # As published the projection comes last. It acts on channels alone, and interpolation's weights sum to 1: the
        # order does not matter, and this one has a quarter of the pixels.
        return resize(self.projection(self.residual_layer2(x)), size, "bilinear")


class ResidualLayer(nnx.Module):
    """Two convolutions, each after a ReLU, added to the input."""

    def __init__(self, channels: int):
        self.convolution1 = Conv(channels, channels, (3, 3))
        self.convolution2 = Conv(channels, channels, (3, 3))

    def __call__(self, x: Float[Array, "n h w c"]) -> Float[Array, "n h w c"]:
        return x + self.convolution2(jax.nn.relu(self.convolution1(jax.nn.relu(x))))
