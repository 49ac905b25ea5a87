"""What the comparisons with live diffusers modules share."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from flax import nnx

from nvs_jax.models.weights import Weights, bind, parameter_specs


class TorchTwin:
    """A diffusers module and ours with the same weights."""

    @staticmethod
    def randomise(theirs: torch.nn.Module, seed: int = 0) -> torch.nn.Module:
        """Every parameter random: no norm is the identity, no bias 0, no blend an even one."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, tensor in theirs.state_dict().items():
                noise = torch.randn(tensor.shape, generator=generator)
                if tensor.ndim > 1:
                    tensor.copy_(noise / tensor[0].numel() ** 0.5)
                else:
                    tensor.copy_(0.3 * noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0))
        return theirs.eval()

    @staticmethod
    def weights(theirs: torch.nn.Module, ours: nnx.Module) -> Weights:
        """The tensors of `theirs` in our layout; its keys must be exactly ours."""
        specs, tensors = parameter_specs(ours), theirs.state_dict()
        assert set(specs) == set(tensors), set(specs) ^ set(tensors)
        for name, spec in specs.items():
            assert tuple(tensors[name].shape) == spec.published_shape, name
        return {name: jnp.asarray(tensors[name].numpy().transpose(spec.published_axes)) for name, spec in specs.items()}

    def __call__(self, theirs: torch.nn.Module, ours: nnx.Module, seed: int = 0):
        """`ours` as a jitted function of its inputs, with the random weights that `theirs` is given too."""
        weights = self.weights(self.randomise(theirs, seed), ours)
        jitted = jax.jit(lambda weights, *inputs: bind(ours, weights)(*inputs))
        return lambda *inputs: jitted(weights, *inputs)

    @staticmethod
    def tensor(x: np.ndarray) -> torch.Tensor:
        """[..., h, w, c] as a contiguous tensor [..., c, h, w]; float32 group norm is inaccurate on other layouts."""
        return torch.from_numpy(np.ascontiguousarray(np.moveaxis(x, -1, -3)))

    @staticmethod
    def difference(actual: jax.Array, expected: torch.Tensor, *, channels_first: bool = True) -> float:
        """Largest difference over the largest value."""
        theirs = expected.detach().numpy()
        theirs = np.moveaxis(theirs, -3, -1) if channels_first else theirs
        assert actual.shape == theirs.shape
        return float(np.abs(np.asarray(actual) - theirs).max() / np.abs(theirs).max())


@pytest.fixture(scope="session")
def twin() -> TorchTwin:
    return TorchTwin()
