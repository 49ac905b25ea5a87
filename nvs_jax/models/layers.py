"""The layers every network here is built of: linear, convolution, group norm, layer norm, root-mean-square norm.

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
        stride: one step for all axes, or one for each.
        padding: (before, after) along each axis; None pads by half the kernel on both sides, as PyTorch's `k//2`.
        bias: whether a bias is added.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: tuple[int, ...],
        *,
        stride: int | tuple[int, ...] = 1,
        padding: tuple[tuple[int, int], ...] | None = None,
        bias: bool = True,
    ):
        rank = len(kernel)
        self.stride = (stride,) * rank if isinstance(stride, int) else stride
        self.padding = tuple((k // 2, k // 2) for k in kernel) if padding is None else padding
        self.weight = parameter(*kernel, in_channels, out_channels, published_axes=(*range(2, rank + 2), 1, 0))
        self.bias = parameter(out_channels) if bias else None

    def __call__(
        self, x: Float[Array, "n *size i"], shift: Float[Array, "o"] | None = None
    ) -> Float[Array, "n *out_size o"]:
        """Convolve in the dtype of `x`.

        Args:
            x: the input.
            shift: added to the bias, so that it costs nothing. Only where there is one.
        """
        weight = self.weight[...].astype(x.dtype)
        if self._looks_along_first_axis:
            # XLA has no fast convolution through time. On CPUs one product is two to three times faster; on GPUs cuDNN
            # takes what has two axes with channels last, and what has three only after a transpose.
            y = jax.lax.platform_dependent(
                x, weight, cpu=self._as_product, cuda=self._over_two_axes, default=self._convolve
            )
        elif len(self.stride) == 3 and self.stride[0] == 1:
            # Of three axes cuDNN takes channels first alone, and a quarter of its pace: the first goes to channels.
            y = jax.lax.platform_dependent(x, weight, cuda=self._steps_on_channels, default=self._convolve)
        else:
            y = self._convolve(x, weight)
        if self.bias is None:
            assert shift is None, "this convolution was built without a bias"
            return y
        bias = self.bias[...].astype(x.dtype)
        return y + (bias if shift is None else bias + shift)

    @property
    def _looks_along_first_axis(self) -> bool:
        """Whether the kernel is [k, 1, ..] and skips nothing but along k: those through time, and pointwise ones."""
        kernel = self.weight.shape[:-2]
        still = all(k == 1 and padding == (0, 0) for k, padding in zip(kernel[1:], self.padding[1:], strict=True))
        return still and set(self.stride[1:]) <= {1}

    def _convolve(self, x: Array, weight: Array) -> Array:
        return _convolve(x, weight, self.stride, self.padding)

    def _over_two_axes(self, x: Array, weight: Array) -> Array:
        """The same for kernels [k, 1, ..]: all axes but the first in one, kernel [k, 1]."""
        n, length, *size, channels = x.shape
        kernel = weight.reshape(weight.shape[0], 1, *weight.shape[-2:])
        y = _convolve(x.reshape(n, length, -1, channels), kernel, (self.stride[0], 1), (self.padding[0], (0, 0)))
        return y.reshape(n, y.shape[1], *size, -1)

    def _steps_on_channels(self, x: Array, weight: Array) -> Array:
        """The same for kernels of three axes: steps of the first side by side on channels, and a kernel of two axes."""
        padded = jnp.pad(x, ((0, 0), self.padding[0], *((0, 0),) * 3))
        steps, length = weight.shape[0], padded.shape[1] - weight.shape[0] + 1
        beside = jnp.concatenate([padded[:, i : i + length] for i in range(steps)], axis=-1)
        kernel = weight.transpose(1, 2, 0, 3, 4).reshape(*weight.shape[1:3], -1, weight.shape[-1])
        y = _convolve(beside.reshape(-1, *beside.shape[2:]), kernel, self.stride[1:], self.padding[1:])
        return y.reshape(len(x), length, *y.shape[1:])

    def _as_product(self, x: Array, weight: Array) -> Array:
        """The same for kernels [k, 1, ..]: k shifted copies side by side on channels, times one matrix."""
        padded = jnp.pad(x, ((0, 0), self.padding[0], *((0, 0),) * (x.ndim - 2)))
        kernel, length = weight.shape[0], padded.shape[1] - weight.shape[0] + 1
        shifted = [jax.lax.slice_in_dim(padded, i, i + length, self.stride[0], axis=1) for i in range(kernel)]
        return jnp.concatenate(shifted, axis=-1) @ weight.reshape(-1, weight.shape[-1])


def _convolve(
    x: Array, weight: Array, stride: tuple[int, ...], padding: tuple[tuple[int, int], ...]
) -> Float[Array, "n *out_size o"]:
    axes = "XYZ"[: len(stride)]
    numbers = (f"N{axes}C", f"{axes}IO", f"N{axes}C")
    return jax.lax.conv_general_dilated(x, weight, stride, padding, dimension_numbers=numbers)


def gelu(x: Float[Array, "*n"]) -> Float[Array, "*n"]:
    """`x Phi(x)`, by erf and in float32 (`x` may be narrower): a tenth of the work of `jax.nn.gelu`'s erfc.

    The error is 1e-6 of values up to 9; erfc's is 4e-7.
    """
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    return (0.5 * wide * (1 + jax.lax.erf(wide * 0.5**0.5))).astype(x.dtype)


def normalize(x: Float[Array, "..."], axes: tuple[int, ...], epsilon: float) -> Float[Array, "..."]:
    """Zero mean and unit variance over `axes`, two-pass, in float32 (`x` may be narrower)."""
    x = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    centred = x - x.mean(axes, keepdims=True)
    return centred * jax.lax.rsqrt(jnp.square(centred).mean(axes, keepdims=True) + epsilon)


def normalize_in_one_pass(x: Float[Array, "..."], axes: tuple[int, ...], epsilon: float) -> Float[Array, "..."]:
    """The same with mean and mean square summed together, in float32: one reading of `x` less.

    What cancels in E x^2 - (E x)^2 is, up to a mean of 100 standard deviations, less than bfloat16 and float16 round.
    """
    x = x.astype(jnp.float32)
    mean = x.mean(axes, keepdims=True)
    variance = jnp.square(x).mean(axes, keepdims=True) - jnp.square(mean)
    return (x - mean) * jax.lax.rsqrt(jnp.maximum(variance, 0) + epsilon)


class GroupNorm(nnx.Module):
    """Group normalisation of [n, *size, c]: statistics over every axis of `size` and the channels of a group.

    On GPUs, where the bytes decide, narrow numbers are read once for their statistics. float32 keeps its precision, and
    on TPUs one pass takes more memory.
    """

    def __init__(self, groups: int, channels: int, epsilon: float):
        self.groups, self.epsilon = groups, epsilon
        self.weight = parameter(channels)
        self.bias = parameter(channels)

    def __call__(self, x: Float[Array, "n *size c"]) -> Float[Array, "n *size c"]:
        """Normalise; the result has the dtype of `x`."""
        grouped = x.reshape(*x.shape[:-1], self.groups, -1)
        y = self._normalize(grouped, (*range(1, x.ndim - 1), x.ndim)).reshape(x.shape)
        return (y * self.weight[...] + self.bias[...]).astype(x.dtype)

    def _normalize(self, grouped: Array, axes: tuple[int, ...]) -> Array:
        def in_two_passes(x: Array) -> Array:
            return normalize(x, axes, self.epsilon)

        if jnp.finfo(grouped.dtype).bits >= 32:
            return in_two_passes(grouped)
        return jax.lax.platform_dependent(
            grouped, cuda=lambda x: normalize_in_one_pass(x, axes, self.epsilon), default=in_two_passes
        )


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


class RMSNorm(nnx.Module):
    """Division by the root of the mean square over the last axis, computed in float32, times a learnt gain."""

    def __init__(self, channels: int, epsilon: float):
        self.epsilon = epsilon
        self.weight = parameter(channels)

    def __call__(self, x: Float[Array, "*n c"]) -> Float[Array, "*n c"]:
        """Normalise; the result has the dtype of `x`."""
        wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
        scale = jax.lax.rsqrt(jnp.square(wide).mean(-1, keepdims=True) + self.epsilon)
        return (wide * scale * self.weight[...]).astype(x.dtype)


class NoParameters(nnx.Module):
    """Keeps the number of a layer that has no parameters, such as dropout, in the published names; is never called."""
