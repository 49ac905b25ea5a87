"""Depth from a picture: Depth Anything V2."""

from nvs_jax.models.depth.estimator import DepthEstimator

__all__ = ["DepthEstimator"]
