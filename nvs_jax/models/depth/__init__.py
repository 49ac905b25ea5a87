"""Depth from a picture: Depth Anything V2."""

from nvs_jax.models.depth.estimator import DepthEstimator, load_depth

__all__ = ["DepthEstimator", "load_depth"]
