"""What every comparison with the PyTorch modules needs: random weights for theirs, the same weights for ours."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx

from nvs_jax.models.weights import Weights, bind, parameter_specs
from tests.models.comparing import QUICK_COMPILE


def randomise(module: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
    """Fill every parameter, norms, biases and mixing factors included, so that signals keep their size."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            if value.ndim > 1:
                value.copy_(noise / (value[0].numel() ** 0.5))
            elif "norm" in name and name.endswith("weight"):
                value.copy_(1 + 0.3 * noise)
            else:
                value.copy_(noise if name.endswith("mix_factor") else 0.3 * noise)
    return module.eval().requires_grad_(False)


def from_torch(torch_module: torch.nn.Module, our_module: nnx.Module) -> Weights:
    """The weights of `torch_module` as ours: the same keys on both sides, shapes checked, axes permuted."""
    theirs = torch_module.state_dict()
    ours = parameter_specs(our_module)
    assert set(theirs) == set(ours), sorted(set(theirs) ^ set(ours))
    shapes = {name: tuple(value.shape) for name, value in theirs.items()}
    assert shapes == {name: spec.published_shape for name, spec in ours.items()}
    return {name: jnp.asarray(theirs[name].numpy().transpose(spec.published_axes)) for name, spec in ours.items()}


def channels_first(x: np.ndarray) -> torch.Tensor:
    """[..., h, w, c] as a contiguous tensor [..., c, h, w]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, -3)))


def channels_last(x: torch.Tensor) -> np.ndarray:
    """[..., c, h, w] as an array [..., h, w, c]."""
    return np.moveaxis(x.numpy(), -3, -1)


def with_weights_of(theirs: torch.nn.Module, ours: nnx.Module, seed: int = 0) -> Callable[..., Any]:
    """`ours` as a jitted function of its inputs; it and `theirs` get the same random weights."""
    weights = from_torch(randomise(theirs, seed), ours)
    jitted = jax.jit(lambda weights, args, kwargs: bind(ours, weights)(*args, **kwargs), compiler_options=QUICK_COMPILE)
    return lambda *args, **kwargs: jitted(weights, args, kwargs)
