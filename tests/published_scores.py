"""The published packages of scores, `lpips` and `torch_fidelity`, without the torchvision that they import.

A torchvision from the registry is built for GPUs and does not load beside a PyTorch for CPUs; with it installed,
transformers and diffusers would not load either. Of what it has, this stands in for two networks' layers, spelt out
here as torchvision publishes them, and for a picture's bytes as a tensor. `make setup` puts the two packages into a
folder of their own in the environment: one of them brings a package `tests`, which would hide this one.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import nn

_VGG16 = (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M")


def vgg16(**_: Any) -> SimpleNamespace:
    """The convolutional part, at random weights."""
    layers: list[nn.Module] = []
    width = 3
    for channels in _VGG16:
        if isinstance(channels, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [nn.Conv2d(width, channels, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
            width = channels
    return SimpleNamespace(features=nn.Sequential(*layers))


def alexnet(**_: Any) -> SimpleNamespace:
    """The convolutional part, at random weights."""
    return SimpleNamespace(
        features=nn.Sequential(
            nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(64, 192, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
            nn.Conv2d(192, 384, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(384, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(256, 256, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(kernel_size=3, stride=2),
        )
    )


def _module(name: str, **names: Any) -> ModuleType:
    module = ModuleType(name)
    module.__dict__.update(names)
    return module


def _torchvision() -> dict[str, ModuleType]:
    def pil_to_tensor(picture: Any) -> torch.Tensor:
        return torch.from_numpy(np.array(picture).transpose(2, 0, 1))

    class Compose:
        def __init__(self, steps: list[Any]):
            self.steps = steps

        def __call__(self, x: Any) -> Any:
            for step in self.steps:
                x = step(x)
            return x

    sets = {name: type(name, (), {}) for name in ("CIFAR10", "CIFAR100", "STL10")}
    models = _module("torchvision.models", vgg16=vgg16, alexnet=alexnet)
    datasets = _module("torchvision.datasets", **sets)
    functional = _module("torchvision.transforms.functional", pil_to_tensor=pil_to_tensor)
    transforms = _module("torchvision.transforms", Compose=Compose, functional=functional)
    whole = _module("torchvision", models=models, datasets=datasets, transforms=transforms)
    return {module.__name__: module for module in (whole, models, datasets, transforms, functional)}


def published(name: str) -> Any:
    """The package `lpips` or `torch_fidelity`, out of the folder of the environment where `make setup` puts them."""
    if name in sys.modules:
        return sys.modules[name]
    folder, stands_in = str(Path(sys.prefix) / "published"), _torchvision()
    sys.modules.update(stands_in)
    sys.path.append(folder)  # last: what else lies there hides nothing
    try:
        return import_module(name)
    finally:
        sys.path.remove(folder)
        for module in stands_in:
            del sys.modules[module]
