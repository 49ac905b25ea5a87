"""A depth estimator: pictures in, a map of depth or disparity of every picture out."""

from pathlib import Path

import numpy as np
from jaxtyping import Float


class DepthEstimator:
    """Estimates the depth of pictures.

    Attributes:
        metric: whether maps are depth in metres; else they are disparity (inverse depth) of unknown scale and shift.
    """

    metric: bool

    def estimate(self, pictures: Float[np.ndarray, "n H W 3"]) -> Float[np.ndarray, "n H W"]:
        """Depth in metres, or disparity, of pictures in [0, 1], at their size, float32."""
        raise NotImplementedError


def load_depth(source: str | Path) -> DepthEstimator:
    """A Depth Anything V2 with its weights.

    Args:
        source: OWNER/NAME of a model on the Hugging Face Hub, such as depth-anything/Depth-Anything-V2-Small-hf, or a
            folder in transformers' layout (config.json, model.safetensors).

    Raises:
        InputError: the weights cannot be had or do not fit.
    """
    raise NotImplementedError(source)
