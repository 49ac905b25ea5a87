"""A depth estimator: pictures in, a map of depth or disparity of every picture out."""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from nvs_jax.models.depth.config import DepthConfig
from nvs_jax.models.depth.network import DepthAnything
from nvs_jax.models.depth.preprocess import Preprocessing, preprocess
from nvs_jax.models.depth.resampling import resize
from nvs_jax.models.weights import Weights, bind

# Frames of one call of the program: what is on the device at once, whatever the length of a video.
SEGMENT = 32


@dataclass(frozen=True)
class DepthEstimator:
    """Estimates the depth of pictures.

    Attributes:
        config: of the network.
        weights: of the network.
        preprocessing: what is done to pictures first.
        chunk: pictures the network works on together; None: 4, and 1 on a CPU, which gains nothing by more.

    One with random weights; `nvs_jax.loading.load_depth` gives one that knows something:

    >>> from nvs_jax.models.depth.config import BackboneConfig
    >>> from nvs_jax.models.weights import random_weights
    >>> backbone = BackboneConfig(hidden_size=8, num_attention_heads=2, num_hidden_layers=1, out_indices=(1,))
    >>> config = DepthConfig(backbone, 8, (1.0,), neck_hidden_sizes=(8,), fusion_hidden_size=8)
    >>> weights = random_weights(DepthAnything(config), 0)
    >>> estimator = DepthEstimator(config, weights, Preprocessing(height=28, width=28))
    >>> estimator.estimate(np.ones((2, 30, 40, 3), np.float32)).shape, estimator.metric
    ((2, 30, 40), False)
    """

    config: DepthConfig
    weights: Weights
    preprocessing: Preprocessing = Preprocessing()
    chunk: int | None = None

    @property
    def metric(self) -> bool:
        """Whether maps are depth in metres; else they are disparity (inverse depth) of unknown scale and shift."""
        return self.config.metric

    def estimate(self, pictures: Float[np.ndarray, "n H W 3"]) -> Float[np.ndarray, "n H W"]:
        """Depth in metres, or disparity, never negative.

        A program is compiled for each size that the network sees, which depends on the pictures' aspect ratio, and
        for numbers of pictures up to 32; longer videos are cut into parts of 32.

        Args:
            pictures: in [0, 1]; any size, one for all.

        Returns:
            A float32 map for each picture, at its size (resized as the published processor does: bicubic).

        Raises:
            InputError: a picture is not finite, or too long and narrow.
        """
        maps = [self._segment(pictures[start : start + SEGMENT]) for start in range(0, len(pictures), SEGMENT)]
        return np.concatenate(maps) if maps else np.zeros(pictures.shape[:3], np.float32)

    def _segment(self, pictures: Float[np.ndarray, "n H W 3"]) -> Float[np.ndarray, "n H W"]:
        count = len(pictures)
        chunk = min(self.chunk or (1 if jax.default_backend() == "cpu" else 4), count)
        pixels = np.stack([preprocess(picture, self.preprocessing) for picture in pictures])
        filled = np.pad(pixels, ((0, -count % chunk), (0, 0), (0, 0), (0, 0)), mode="edge")
        maps = np.asarray(_run(self.weights, filled, config=self.config, chunk=chunk))[:count]
        return np.maximum(resize(maps[..., None], pictures.shape[1:3], "bicubic")[..., 0], 0)


@partial(jax.jit, static_argnames=("config", "chunk"))
def _run(weights: Weights, pixels: Array, *, config: DepthConfig, chunk: int) -> Array:
    """The network, on `chunk` pictures after the other."""
    network = bind(DepthAnything(config), weights)
    if len(pixels) == chunk:
        return network(pixels)
    chunks = jnp.reshape(pixels, (-1, chunk, *pixels.shape[1:]))
    maps = jax.lax.map(network, chunks)
    return maps.reshape(-1, *maps.shape[2:])
