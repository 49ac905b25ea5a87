"""LPIPS against the package that defines it, at random backbones and the package's own weights of channels."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from nvs_jax.errors import InputError
from nvs_jax.loading import load_lpips
from nvs_jax.models.lpips import ALEXNET, VGG16, Lpips
from nvs_jax.models.lpips.distance import Network
from nvs_jax.models.weights import random_weights
from tests.published_scores import published

NETS = {"vgg": VGG16, "alex": ALEXNET}


@pytest.fixture(scope="module", params=NETS)
def pair(request, tmp_path_factory) -> tuple[Lpips, Any]:
    """Ours, read from a file of the package's own names, and the package's."""
    torch.manual_seed(0)
    theirs = published("lpips").LPIPS(net=request.param, pnet_rand=True, verbose=False)
    for name, values in theirs.named_parameters():
        if name.endswith("bias"):  # torch's own are so small that a network without them would hardly differ
            torch.nn.init.normal_(values, std=0.1)
    file = tmp_path_factory.mktemp("lpips") / f"{request.param}.safetensors"
    save_file({name: values.numpy() for name, values in theirs.state_dict().items()}, file)
    return load_lpips(file), theirs


def pictures(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    first = rng.uniform(size=(2, height, width, 3)).astype(np.float32)
    return first, np.clip(first + rng.normal(scale=0.2, size=first.shape), 0, 1).astype(np.float32)


def channels_first(x: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(x.transpose(0, 3, 1, 2).copy())


@pytest.mark.parametrize("size", [(32, 48), (37, 45)])  # whole cells, and not
def test_distance_and_map_are_the_packages(pair, size) -> None:
    ours, theirs = pair
    assert ours.backbone in NETS.values()
    first, second = pictures(*size)
    value, where = jax.jit(Lpips.compare)(ours, first, second)
    with torch.no_grad():
        theirs.spatial = False
        wanted = theirs(channels_first(first), channels_first(second), normalize=True).numpy().ravel()
        theirs.spatial = True
        wanted_where = theirs(channels_first(first), channels_first(second), normalize=True).numpy()[:, 0]
    np.testing.assert_allclose(value, wanted, atol=1e-5)
    np.testing.assert_allclose(where, wanted_where, atol=1e-5)
    assert wanted.min() > 0.01  # far above what may differ


@pytest.mark.full
def test_its_gradient_is_the_packages(pair) -> None:
    ours, theirs = pair
    first, second = (x[:1] for x in pictures(32, 32))
    slope = jax.jit(jax.grad(lambda x: jnp.sum(ours(x, jnp.asarray(second)))))(first)
    theirs.spatial = False
    x = channels_first(first).requires_grad_()
    theirs(x, channels_first(second), normalize=True).sum().backward()
    assert x.grad is not None
    wanted = x.grad.numpy().transpose(0, 2, 3, 1)
    # 1e-3 of the largest slope: ReLUs near zero open on one side and not on the other.
    np.testing.assert_allclose(slope, wanted, atol=1e-3 * float(np.abs(wanted).max()))


def test_black_features_have_a_distance_and_a_slope() -> None:
    weights = {name: -jnp.abs(values) for name, values in random_weights(Network(ALEXNET), 0).items()}
    dark = Lpips(weights, ALEXNET)  # no cell of the first layer is positive on a white picture
    white = jnp.ones((1, 32, 32, 3))
    value, slope = jax.jit(jax.value_and_grad(lambda x: dark(x, white)[0]))(0.9 * white)
    assert value == 0 and bool((slope == 0).all())


def test_small_pictures_are_told() -> None:
    lpips = Lpips(random_weights(Network(VGG16), 0), VGG16)
    with pytest.raises(InputError, match="pictures of 15x40 are too small for LPIPS with VGG16"):
        lpips(jnp.zeros((1, 15, 40, 3)), jnp.zeros((1, 15, 40, 3)))
