"""LPIPS: how far pictures are from each other to the eye, as a score and as a loss."""

from nvs_jax.models.lpips.backbones import ALEXNET, VGG16, Backbone
from nvs_jax.models.lpips.distance import Lpips

__all__ = ["ALEXNET", "VGG16", "Backbone", "Lpips"]
