"""The whole network: DINOv2, DPT's neck, and the head that makes one number of every pixel."""

import jax
from flax import nnx
from jaxtyping import Array, Float

from nvs_jax.models.depth.backbone import Backbone
from nvs_jax.models.depth.config import DepthConfig
from nvs_jax.models.depth.neck import Neck
from nvs_jax.models.depth.resampling import resize
from nvs_jax.models.layers import Conv


class DepthAnything(nnx.Module):
    """`DepthAnythingForDepthEstimation`."""

    def __init__(self, config: DepthConfig):
        self.head_in_index = config.head_in_index
        self.backbone = Backbone(config.backbone)
        self.neck = Neck(config)
        self.head = Head(config)

    def __call__(self, pixels: Float[Array, "n H W c"]) -> Float[Array, "n H W"]:
        """Disparity of unknown scale and shift, or depth in metres.

        Args:
            pixels: pictures as `preprocess` returns them.
        """
        fused = self.neck(self.backbone(pixels))
        return self.head(fused[self.head_in_index], (pixels.shape[1], pixels.shape[2]))


class Head(nnx.Module):
    """Convolutions, with the resolution of the picture from the second on."""

    def __init__(self, config: DepthConfig):
        width, narrow = config.fusion_hidden_size, config.fusion_hidden_size // 2
        self.metric, self.max_depth = config.metric, config.max_depth
        self.conv1 = Conv(width, narrow, (3, 3))
        self.conv2 = Conv(narrow, config.head_hidden_size, (3, 3))
        self.conv3 = Conv(config.head_hidden_size, 1, (1, 1))

    def __call__(self, x: Float[Array, "n h w c"], size: tuple[int, int]) -> Float[Array, "n H W"]:
        """The map, at `size`."""
        x = resize(self.conv1(x), size, "bilinear")
        y = self.conv3(jax.nn.relu(self.conv2(x)))[..., 0]
        return (jax.nn.sigmoid(y) if self.metric else jax.nn.relu(y)) * self.max_depth
