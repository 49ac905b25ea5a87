"""The learned perceptual distance of Zhang et al. (2018), version 0.1 of their package: features, and what differs.

Features of both pictures are scaled to length one in every cell; the squared differences, weighted by channel, are the
distance of a layer, eq. (1), and the distance of pictures is the sum over layers of the means over cells.
"""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.errors import InputError
from nvs_jax.models.layers import Conv
from nvs_jax.models.lpips.backbones import Backbone, Layer
from nvs_jax.models.weights import Weights, bind
from nvs_jax.pytree import pytree, static

# Mean and deviation of ImageNet's colours, in [-1, 1], as the package rounds them.
_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_EPSILON = 1e-10


class Network(nnx.Module):
    """The features of a backbone, and one weight a channel of those that are compared."""

    def __init__(self, backbone: Backbone):
        self.backbone = backbone
        widths = (3, *(layer.channels for layer in backbone.layers))
        self.convs = nnx.List(_conv(width, layer) for width, layer in zip(widths, backbone.layers, strict=False))
        compared = [layer for layer in backbone.layers if layer.compared]
        self.lins = nnx.List(Conv(layer.channels, 1, (1, 1), bias=False) for layer in compared)

    def features(self, pictures: Float[Array, "n h w 3"]) -> list[Float[Array, "n r s c"]]:
        """Of pictures in [0, 1], every layer that is compared, each cell of length one."""
        x = (2 * pictures - 1 - jnp.asarray(_SHIFT, pictures.dtype)) / jnp.asarray(_SCALE, pictures.dtype)
        found = []
        for layer, conv in zip(self.backbone.layers, self.convs, strict=True):
            if layer.pooled:
                x = nnx.max_pool(x, (self.backbone.pool,) * 2, (2, 2))
            x = jax.nn.relu(conv(x))
            if layer.compared:
                found.append(_of_length_one(x))
        return found

    def __call__(
        self, pictures: Float[Array, "n h w 3"], others: Float[Array, "n h w 3"]
    ) -> list[Float[Array, "n r s 1"]]:
        """The distance of every layer, in its cells."""
        pairs = zip(self.features(pictures), self.features(others), strict=True)
        return [lin(jnp.square(a - b)) for lin, (a, b) in zip(self.lins, pairs, strict=True)]


def _conv(width: int, layer: Layer) -> Conv:
    around = (layer.padding, layer.padding)
    return Conv(width, layer.channels, (layer.kernel, layer.kernel), stride=layer.stride, padding=(around, around))


@pytree
class Lpips:
    """The distance; `nvs_jax.loading.load_lpips` gives one with the published weights.

    A pytree: it may be an argument of `jax.jit`, and is differentiable in both pictures.

    Attributes:
        weights: of `Network`.
        backbone: which features are compared.

    >>> from nvs_jax.models.lpips import ALEXNET
    >>> from nvs_jax.models.weights import random_weights
    >>> lpips = Lpips(random_weights(Network(ALEXNET), 0), ALEXNET)
    >>> picture = jnp.linspace(0, 1, 32 * 32 * 3).reshape(1, 32, 32, 3)
    >>> print(lpips(picture, picture))
    [0.]
    """

    weights: Weights
    backbone: Backbone = static()

    def __call__(
        self, pictures: Float[Array | np.ndarray, "n h w 3"], others: Float[Array | np.ndarray, "n h w 3"]
    ) -> Float[Array, "n"]:
        """How far each picture is from the other, 0 for the same, as published; see `compare`."""
        return self.compare(pictures, others)[0]

    def compare(
        self, pictures: Float[Array | np.ndarray, "n h w 3"], others: Float[Array | np.ndarray, "n h w 3"]
    ) -> tuple[Float[Array, "n"], Float[Array, "n h w"]]:
        """The distance of pictures, and where they differ.

        Args:
            pictures: in [0, 1], RGB.
            others: to compare them with, one each.

        Returns:
            the distance, and its map: the layers' cells brought to the pictures' size, bilinearly, and added, as the
            package does with `spatial=True`. Its mean is nearly the distance.

        Raises:
            InputError: pictures too small for the backbone.
        """
        height, width = pictures.shape[1:3]
        if self.backbone.smallest(min(height, width)) < 1:
            raise InputError(f"pictures of {height}x{width} are too small for LPIPS with {self.backbone.name}")
        layers = bind(Network(self.backbone), self.weights)(jnp.asarray(pictures), jnp.asarray(others))
        value = sum((jnp.mean(layer, (1, 2, 3)) for layer in layers), jnp.zeros(len(pictures)))
        wide = [jax.image.resize(layer[..., 0], (len(pictures), height, width), "bilinear") for layer in layers]
        return value, sum(wide[1:], wide[0])


def _of_length_one(x: Float[Array, "n r s c"]) -> Float[Array, "n r s c"]:
    """Every cell over its length; where all channels are zero the gradient is zero, too."""
    squared = jnp.sum(jnp.square(x), -1, keepdims=True)
    length = jnp.sqrt(jnp.where(squared > 0, squared, 1.0))
    return jnp.where(squared > 0, x / (length + _EPSILON), 0.0)
