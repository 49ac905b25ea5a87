"""Parts of the UNet at its finest level, in the ways they could be computed: settled before the whole is compiled."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from nvs_jax.models.attention import attention
from nvs_jax.models.attention.library import runs_cudnn
from nvs_jax.models.layers import Conv, LayerNorm, gelu, normalize, normalize_in_one_pass
from nvs_jax.models.svd.resnet import GROUPS, SpatioTemporalResBlock
from nvs_jax.models.svd.unet.transformer import FeedForward, TransformerSpatioTemporal
from nvs_jax.models.weights import bind
from scripts.accelerator.child import reason
from scripts.accelerator.device import Options, compiled, normal
from scripts.accelerator.rows import Row
from scripts.accelerator.sizes import Size
from scripts.accelerator.weights import draw, quick_weights

ROWS = 32
NEEDS_CUDNN = "left out: it needs an Nvidia GPU"


@dataclass(frozen=True)
class Block:
    """A function to time.

    Attributes:
        what: it is, and in which way.
        make: the function and its arguments, which take memory.
        cudnn: whether only an Nvidia GPU has it.
        options: of XLA's, for it alone.
    """

    what: str
    make: Callable[[], tuple[Any, ...]]
    cudnn: bool = False
    options: Options | None = None


def blocks(size: Size) -> Iterator[Row]:
    """Time of each; one that fails says so and leaves the others be."""
    for block in _blocks(size):
        if block.cudnn and not runs_cudnn():
            yield Row(block.what, note=NEEDS_CUDNN)
            continue
        try:
            function, *arguments = block.make()
            yield Row(block.what, compiled(function, *arguments, options=block.options).figures(size))
        except Exception as error:  # whatever a library may think of
            yield Row(block.what, note=reason(error), failed=True)


def _blocks(size: Size) -> Iterator[Block]:
    """From both branches' activations at the finest level, in the UNet's dtype."""
    channels, heads = size.networks.unet.block_out_channels[0], size.networks.unet.num_attention_heads[0]
    rows, columns = size.cells
    video = 2, size.frames, rows, columns, channels
    made = partial(normal, dtype=size.dtype)
    yield from _through_time(size, lambda: made(*video))
    yield from _elementwise(
        lambda: made(2 * size.frames, rows * columns, channels), lambda: made(*video[:-1], 8 * channels)
    )
    yield from _layer_norms(channels, size.dtype, lambda *shape: made(*shape, channels), rows * columns, size.frames)
    qkv = {
        "temporal attention": (2 * rows * columns, size.frames, heads, channels // heads),
        "spatial attention": (2 * size.frames, rows * columns, heads, channels // heads),
    }
    for what, shape in qkv.items():
        for backend in ("cudnn", "chunked" if "spatial" in what else "xla"):
            yield Block(f"{what}, {backend}", partial(_attention, made, shape, backend), backend == "cudnn")
    yield from _modules(size, lambda: made(*video))


def _through_time(size: Size, x: Callable[[], jax.Array]) -> Iterator[Block]:
    """The convolution over three frames."""
    channels = size.networks.unet.block_out_channels[0]
    conv = Conv(channels, channels, (3, 1, 1), bias=False)

    def make(way: Callable[[jax.Array, jax.Array], jax.Array]) -> tuple[Any, ...]:
        return way, x(), normal(3, 1, 1, channels, channels, dtype=size.dtype)

    # The ways that `Conv` chooses from by platform.
    yield Block("convolution through time, 2-D", partial(make, conv._over_two_axes))
    yield Block("convolution through time, 3-D", partial(make, conv._convolve))
    nhwc = {"xla_gpu_force_conv_nhwc": True}
    yield Block("convolution through time, 3-D, forced NHWC", partial(make, conv._convolve), True, nhwc)
    yield Block("convolution through time, one product", partial(make, conv._as_product))


def _elementwise(x: Callable[[], jax.Array], wide: Callable[[], jax.Array]) -> Iterator[Block]:
    """Norms and activations."""
    for passes, norm in (("one pass", normalize_in_one_pass), ("two passes", normalize)):

        def group_norm(x: jax.Array, norm: Any = norm) -> jax.Array:
            grouped = x.reshape(*x.shape[:-1], GROUPS, -1)
            return jax.nn.silu(norm(grouped, (1, 3), 1e-6).reshape(x.shape)).astype(x.dtype)

        yield Block(f"group norm and SiLU, {passes}", lambda group_norm=group_norm: (group_norm, x()))
    for name, activation in (("erf", gelu), ("erfc", partial(jax.nn.gelu, approximate=False))):

        def geglu(x: jax.Array, activation: Any = activation) -> jax.Array:
            a, b = jnp.split(x, 2, axis=-1)
            return a * activation(b)

        yield Block(f"GEGLU without its product, {name}", lambda geglu=geglu: (geglu, wide()))


def _layer_norms(channels: int, dtype: str, x: Callable[..., jax.Array], cells: int, frames: int) -> Iterator[Block]:
    """Over channels: of the same numbers as frames of cells, as cells through time, and as rows."""
    norm = LayerNorm(channels)
    weights = {name: jnp.ones(channels, dtype) for name in ("weight", "bias")}
    shapes = {"frames of cells": (2 * frames, cells), "through time": (2 * cells, frames)}
    for what, shape in shapes.items():
        yield Block(f"layer norm, {what}", lambda shape=shape: (bind(norm, weights), x(*shape)))

    # XLA's tiles are powers of two: of 25 frames it takes one at a time, of 32 cells, whose rows lie 25 apart. Without
    # a barrier the statistics would be taken of the shape before.
    def in_groups(x: jax.Array) -> jax.Array:
        rows = jax.lax.optimization_barrier(x.reshape(-1, ROWS, channels))
        return bind(norm, weights)(rows).reshape(x.shape)

    if 2 * cells * frames % ROWS == 0:
        yield Block(f"layer norm, through time, in groups of {ROWS}", lambda: (in_groups, x(2 * cells, frames)))


def _attention(made: Callable[..., jax.Array], shape: tuple[int, ...], backend: Any) -> tuple[Any, ...]:
    return partial(attention, backend=backend), *(made(*shape, seed=seed) for seed in range(3))


def _modules(size: Size, x: Callable[[], jax.Array]) -> Iterator[Block]:
    """Whole blocks as the UNet has them."""
    unet = size.networks.unet
    channels, context = unet.block_out_channels[0], unet.cross_attention_dim[0]
    tile = draw(size.tile)
    modules: dict[str, tuple[Any, tuple[int, ...]]] = {
        "feed-forward": (FeedForward(channels), ()),
        "residual block": (
            SpatioTemporalResBlock(channels, channels, temb_channels=4 * channels, epsilon=1e-6),
            (1, 4 * channels),
        ),
        "transformer": (TransformerSpatioTemporal(channels, unet.num_attention_heads[0], 1, context), (2, 1, context)),
    }
    for what, (module, told) in modules.items():

        def make(module: Any = module, told: tuple[int, ...] = told) -> tuple[Any, ...]:
            weights = quick_weights(module, size.dtype, tile)
            others = (normal(*told, dtype=size.dtype),) if told else ()
            return lambda weights, x, *others: bind(module, weights)(x, *others), weights, x(), *others

        yield Block(what, make)
