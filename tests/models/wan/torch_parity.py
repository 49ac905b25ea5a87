"""What comparisons of Wan's networks with PyTorch's share: layers side by side, and videos with channels first."""

import jax.numpy as jnp
import numpy as np
import torch
from flax import nnx

from nvs_jax.models.stacked import of_layer
from nvs_jax.models.weights import ParameterSpec, Weights, parameter_specs

RENAMED = {"vace_proj_in.": "vace_blocks.0.proj_in."}
"""Ours, and where it lies in the published names."""


def published_names(name: str, spec: ParameterSpec) -> list[str]:
    """Of the tensors that a parameter is made of."""
    for ours, theirs in RENAMED.items():
        name = name.replace(ours, theirs)
    return [of_layer(name, layer) for layer in range(spec.layers)] or [name]


def stacked_from_torch(theirs: torch.nn.Module, ours: nnx.Module) -> Weights:
    """The weights of `theirs` as ours: the same keys on both sides, shapes checked, axes permuted, layers stacked."""
    return stacked({name: value.numpy() for name, value in theirs.named_parameters()}, ours)


def stacked(tensors: dict[str, np.ndarray], ours: nnx.Module) -> Weights:
    """The same of tensors by their published names, which are taken one after the other, until none is left."""
    weights = {}
    for name, spec in parameter_specs(ours).items():
        taken = [tensors.pop(published) for published in published_names(name, spec)]
        assert {tensor.shape for tensor in taken} == {spec.published_shape}, name
        layers = [tensor.transpose(spec.published_axes) for tensor in taken]
        weights[name] = jnp.asarray(np.stack(layers) if spec.layers else layers[0])
    assert not tensors, sorted(tensors)
    return weights


def video_to_torch(x: np.ndarray) -> torch.Tensor:
    """[b, f, h, w, c] as [b, c, f, h, w]."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, 1)))


def video_from_torch(x: torch.Tensor) -> np.ndarray:
    """[b, c, f, h, w] as [b, f, h, w, c]."""
    return np.moveaxis(x.numpy(), 1, -1)
