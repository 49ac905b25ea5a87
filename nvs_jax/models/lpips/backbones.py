"""The two networks whose features LPIPS compares: their convolutions, as torchvision publishes them."""

from dataclasses import dataclass
from typing import NamedTuple


class Layer(NamedTuple):
    """A convolution and the ReLU after it.

    Attributes:
        key: of its published parameters, in the package `lpips`.
        channels: that it gives.
        kernel: pixels along a side; the padding is half of it, but 2 of 11.
        stride: of the convolution.
        pooled: the maximum over neighbours is taken before it.
        compared: what it gives is compared.
    """

    key: str
    channels: int
    kernel: int = 3
    stride: int = 1
    pooled: bool = False
    compared: bool = False

    @property
    def padding(self) -> int:
        """Pixels on each side."""
        return min(self.kernel // 2, 2)


@dataclass(frozen=True)
class Backbone:
    """A network, up to the last features that are compared.

    Attributes:
        name: as reports say it.
        layers: from the picture on.
        pool: pixels along a side of what a maximum is taken over; its stride is 2.
    """

    name: str
    layers: tuple[Layer, ...]
    pool: int

    def smallest(self, side: int) -> int:
        """Cells along a side of the last features, of a picture of so many pixels; below 1 there are none.

        >>> VGG16.smallest(16), ALEXNET.smallest(31), ALEXNET.smallest(30)
        (1, 1, 0)
        """
        for layer in self.layers:
            if layer.pooled:
                side = (side - self.pool) // 2 + 1
            side = (side + 2 * layer.padding - layer.kernel) // layer.stride + 1
        return side


VGG16 = Backbone(
    "VGG16",
    (
        Layer("net.slice1.0", 64),
        Layer("net.slice1.2", 64, compared=True),
        Layer("net.slice2.5", 128, pooled=True),
        Layer("net.slice2.7", 128, compared=True),
        Layer("net.slice3.10", 256, pooled=True),
        Layer("net.slice3.12", 256),
        Layer("net.slice3.14", 256, compared=True),
        Layer("net.slice4.17", 512, pooled=True),
        Layer("net.slice4.19", 512),
        Layer("net.slice4.21", 512, compared=True),
        Layer("net.slice5.24", 512, pooled=True),
        Layer("net.slice5.26", 512),
        Layer("net.slice5.28", 512, compared=True),
    ),
    pool=2,
)
"""Simonyan and Zisserman (2015), 14.7 million weights; the choice for a loss."""
ALEXNET = Backbone(
    "AlexNet",
    (
        Layer("net.slice1.0", 64, kernel=11, stride=4, compared=True),
        Layer("net.slice2.3", 192, kernel=5, pooled=True, compared=True),
        Layer("net.slice3.6", 384, pooled=True, compared=True),
        Layer("net.slice4.8", 256, compared=True),
        Layer("net.slice5.10", 256, compared=True),
    ),
    pool=3,
)
"""Krizhevsky (2014), 2.5 million weights."""
