"""The four layers every network here is built of: linear, convolution, group norm, layer norm.

Constructors allocate nothing: a parameter is born as a shape (`jax.ShapeDtypeStruct`) and meets its array in
`nvs_jax.models.weights.bind`. Attribute names are the published ones, so that the path of a parameter is the key of
its tensor in the published files; `published_axes` says how that tensor's axes are permuted into ours.

Precision follows the input: a layer computes in the dtype of `x`, statistics in float32.
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float


def parameter(*shape: int, published_axes: tuple[int, ...] | None = None) -> nnx.Param:
    """A parameter of this shape, as yet without values.

    Args:
        shape: the shape used here, channels last.
        published_axes: permutation that turns the published tensor into this one (`numpy.transpose`'s `axes`);
            None where the two agree.
    """
    axes = tuple(range(len(shape))) if published_axes is None else published_axes
    return nnx.Param(jax.ShapeDtypeStruct(shape, jnp.float32), published_axes=axes)


class Linear(nnx.Module):
    """`y = x W + b` over the last axis. `weight` is [in, out]; published as [out, in]."""

    def __init__(self, in_features: int, out_features: int, *, bias: bool = True):
        self.weight = parameter(in_features, out_features, published_axes=(1, 0))
        self.bias = parameter(out_features) if bias else None

    def __call__(self, x: Float[Array, "*n i"]) -> Float[Array, "*n o"]:
        """Apply the map in the dtype of `x`."""
        y = x @ self.weight[...].astype(x.dtype)
        return y if self.bias is None else y + self.bias[...].astype(x.dtype)


class Conv(nnx.Module):
    """Convolution over the axes between the first (batch) and the last (channels).

    `weight` is [*kernel, in, out]; published as [out, in, *kernel].

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel: its size along each convolved axis, e.g. (3, 3) or (3, 1, 1).
        stride: one step for all axes.
        padding: (before, after) along each axis; None pads by half the kernel on both sides, as PyTorch's `k//2`.
        bias: whether a bias is added.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: tuple[int, ...],
        *,
        stride: int = 1,
        padding: tuple[tuple[int, int], ...] | None = None,
        bias: bool = True,
    ):
        rank = len(kernel)
        self.stride = (stride,) * rank
        self.padding = tuple((k // 2, k // 2) for k in kernel) if padding is None else padding
        self.weight = parameter(*kernel, in_channels, out_channels, published_axes=(*range(2, rank + 2), 1, 0))
        self.bias = parameter(out_channels) if bias else None

    def __call__(self, x: Float[Array, "n *size i"]) -> Float[Array, "n *out_size o"]:
        """Convolve in the dtype of `x`."""
        weight = self.weight[...].astype(x.dtype)
        along_first_axis = max(weight.shape[1:-2], default=1) == 1 and set(self.stride) == {1}
        if along_first_axis and max(self.padding[1:], default=(0, 0)) == (0, 0):
            # XLA has no fast convolution through time on CPUs: two to three times slower there than one product.
            y = jax.lax.platform_dependent(x, weight, cpu=self._as_product, default=self._convolve)
        else:
            y = self._convolve(x, weight)
        return y if self.bias is None else y + self.bias[...].astype(x.dtype)

    def _convolve(self, x: Array, weight: Array) -> Array:
        axes = "xyz"[: len(self.stride)]
        return jax.lax.conv_general_dilated(
            x,
            weight,
            window_strides=self.stride,
            padding=self.padding,
            dimension_numbers=(f"n{axes}c".upper(), f"{axes}io".upper(), f"n{axes}c".upper()),
        )

    def _as_product(self, x: Array, weight: Array) -> Array:
        """The same for kernels [k, 1, ..]: k shifted copies side by side on channels, times one matrix."""
        padded = jnp.pad(x, ((0, 0), self.padding[0], *((0, 0),) * (x.ndim - 2)))
        kernel, length = weight.shape[0], padded.shape[1] - weight.shape[0] + 1
        shifted = [jax.lax.slice_in_dim(padded, i, i + length, axis=1) for i in range(kernel)]
        return jnp.concatenate(shifted, axis=-1) @ weight.reshape(-1, weight.shape[-1])


def normalize(x: Float[Array, "..."], axes: tuple[int, ...], epsilon: float) -> Float[Array, "..."]:
    """Zero mean and unit variance over `axes`, two-pass, in float32 (`x` may be narrower)."""
    x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    centred = x - x.mean(axes, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.square(centred).mean(axes, keepdims=True) + epsilon)


class GroupNorm(nnx.Module):
    """Group normalisation of [n, *size, c]: statistics over every axis of `size` and the channels of a group."""

    def __init__(self, groups: int, channels: int, epsilon: float):
        self.groups, self.epsilon = groups, epsilon
        self.weight = parameter(channels)
        self.bias = parameter(channels)

    def __call__(self, x: Float[Array, "n *size c"]) -> Float[Array, "n *size c"]:
        """Normalise; the result has the dtype of `x`."""
        grouped = x.reshape(*x.shape[:-1], self.groups, -1)
        axes = (*range(1, x.ndim - 1), x.ndim)
        y = normalize(grouped, axes, self.epsilon).reshape(x.shape)
        return (y * self.weight[...] + self.bias[...]).astype(x.dtype)


class LayerNorm(nnx.Module):
    """Layer normalisation over the last axis."""

    def __init__(self, channels: int, epsilon: float = 1e-5):
        self.epsilon = epsilon
        self.weight = parameter(channels)
        self.bias = parameter(channels)

    def __call__(self, x: Float[Array, "*n c"]) -> Float[Array, "*n c"]:
        """Normalise; the result has the dtype of `x`."""
        y = normalize(x, (-1,), self.epsilon)
        return (y * self.weight[...] + self.bias[...]).astype(x.dtype)
