import re
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from nvs_jax.models.layers import Conv, GroupNorm, LayerNorm, Linear, gelu, normalize, normalize_in_one_pass
from nvs_jax.models.weights import bind, parameter_specs
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import with_weights_of


def _normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("widths", "bias", "batch"), [((5, 7), True, (3,)), ((8, 3), False, (2, 4)), ((1, 6), True, ())]
)
def test_linear_is_pytorchs(widths, bias, batch):
    theirs = torch.nn.Linear(*widths, bias=bias)
    x = _normal(*batch, widths[0])
    assert relative_error(with_weights_of(theirs, Linear(*widths, bias=bias))(x), theirs(torch.from_numpy(x))) <= 1e-6


@pytest.mark.parametrize(
    ("kernel", "stride", "bias", "size"),
    [
        ((3, 3), 1, True, (5, 4)),
        ((3, 3), 2, True, (7, 6)),
        ((1, 1), 1, False, (2, 3)),
        ((3, 1, 1), 1, True, (4, 3, 2)),
        ((3, 1, 1), (2, 1, 1), True, (8, 3, 2)),
        ((5,), 3, True, (11,)),
    ],
)
def test_convolution_is_pytorchs(kernel, stride, bias, size):
    kind: Any = (torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)[len(kernel) - 1]
    theirs = kind(4, 6, kernel, stride=stride, padding=[k // 2 for k in kernel], bias=bias)
    apply = with_weights_of(theirs, Conv(4, 6, kernel, stride=stride, bias=bias))
    x = _normal(2, *size, 4)
    expected = theirs(torch.from_numpy(np.moveaxis(x, -1, 1).copy())).movedim(1, -1)
    assert relative_error(apply(x), expected) <= 1e-6


def test_convolution_pads_where_it_is_told():
    theirs = torch.nn.Conv2d(3, 2, 3, stride=2)
    apply = with_weights_of(theirs, Conv(3, 2, (3, 3), stride=2, padding=((0, 1), (2, 0))))
    x = _normal(1, 4, 5, 3)
    padded = np.pad(x, ((0, 0), (0, 1), (2, 0), (0, 0)))
    expected = theirs(torch.from_numpy(np.moveaxis(padded, -1, 1).copy())).movedim(1, -1)
    assert relative_error(apply(x), expected) <= 1e-6


@pytest.mark.parametrize("step", [1, 2])
@pytest.mark.parametrize(
    ("kernel", "padding"), [((3, 1, 1), None), ((5, 1, 1), ((4, 0), (0, 0), (0, 0))), ((3, 1), None)]
)
def test_a_convolution_through_time_is_the_same_in_every_form(kernel, padding, step):
    conv = Conv(16, 24, kernel, stride=(step, *(1,) * (len(kernel) - 1)), padding=padding, bias=False)
    assert conv._looks_along_first_axis
    x, weight = jnp.asarray(_normal(2, 7, *(4, 6)[: len(kernel) - 1], 16)), jnp.asarray(_normal(*kernel, 16, 24)) / 7
    general = np.asarray(conv._convolve(x, weight))
    for other in (conv._as_product, conv._over_two_axes):
        # The sums are of 48 products of order 0.1, in another order.
        np.testing.assert_allclose(other(x, weight), general, atol=2e-6)


@pytest.mark.parametrize("padding", [((0, 0), (1, 1), (1, 1)), None, ((2, 0), (0, 1), (1, 0))])
def test_a_convolution_over_three_axes_is_the_same_over_two(padding):
    conv = Conv(4, 6, (3, 3, 3), padding=padding)
    x, weight = jnp.asarray(_normal(2, 5, 6, 7, 4)), jnp.asarray(_normal(3, 3, 3, 4, 6))
    assert relative_error(conv._steps_on_channels(x, weight), conv._convolve(x, weight)) <= 1e-6
    shape = jax.ShapeDtypeStruct((1, 5, 6, 7, 4), jnp.float32)
    bound = {name: jnp.zeros(spec.shape) for name, spec in parameter_specs(conv).items()}
    traced = jax.jit(lambda x: bind(conv, bound)(x)).trace(shape)
    for platform, axes in (("cuda", 2), ("tpu", 3)):
        (window,) = re.findall(
            r"dim_numbers = \[b, ([\d, ]+), f\]x", traced.lower(lowering_platforms=(platform,)).as_text()
        )
        assert window.count(",") + 1 == axes


def test_a_convolution_through_time_has_two_axes_on_cuda_and_none_on_cpus():
    conv = bind(Conv(8, 8, (3, 1, 1)), {"weight": jnp.ones((3, 1, 1, 8, 8)), "bias": jnp.ones(8)})
    traced = jax.jit(conv.__call__).trace(jnp.ones((1, 4, 2, 2, 8)))
    ranks = {}
    for platform in ("cpu", "cuda", "tpu"):
        text = traced.lower(lowering_platforms=(platform,)).as_text()
        kernels = re.findall(r"stablehlo.convolution.*tensor<([0-9x]*)xf32>\) ->", text)
        ranks[platform] = [kernel.count("x") + 1 for kernel in kernels]
    assert ranks == {"cpu": [], "cuda": [4], "tpu": [5]}


@pytest.mark.parametrize("kernel", [(3, 3), (3, 1, 1)])
def test_a_shift_is_added_with_the_bias(kernel):
    conv = bind(Conv(4, 6, kernel), {"weight": jnp.asarray(_normal(*kernel, 4, 6)), "bias": jnp.asarray(_normal(6))})
    x, shift = jnp.asarray(_normal(2, *(4, 3, 2)[: len(kernel)], 4)), 3 * jnp.asarray(_normal(6))
    np.testing.assert_allclose(conv(x, shift), conv(x) + shift, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(("dtype", "bound"), [(jnp.float32, 1.2e-6), (jnp.bfloat16, 2**-6)])
def test_gelu_is_exact(dtype, bound):
    x = jnp.linspace(-9, 9, 100_001).astype(dtype)
    wide = np.asarray(x, np.float64)
    exact = torch.nn.functional.gelu(torch.from_numpy(wide)).numpy()
    assert gelu(x).dtype == dtype
    np.testing.assert_allclose(np.asarray(gelu(x), np.float64), exact, atol=bound)


@pytest.mark.parametrize(("groups", "channels", "size"), [(2, 6, (5, 4)), (32, 64, (3, 2, 4)), (1, 3, (7,))])
@pytest.mark.parametrize("epsilon", [1e-6, 1e-1])
def test_group_norm_is_pytorchs(groups, channels, size, epsilon):
    theirs = torch.nn.GroupNorm(groups, channels, epsilon)
    x = 3 + 2 * _normal(2, *size, channels)
    norm = with_weights_of(theirs, GroupNorm(groups, channels, epsilon))
    expected = theirs(torch.from_numpy(np.moveaxis(x, -1, 1).copy())).movedim(1, -1)
    assert relative_error(norm(x), expected) <= 2e-6


@pytest.mark.parametrize(("channels", "epsilon"), [(6, 1e-5), (64, 1e-1), (3, 1e-6)])
def test_layer_norm_is_pytorchs(channels, epsilon):
    theirs = torch.nn.LayerNorm(channels, epsilon)
    x = 3 + 2 * _normal(2, 5, channels)
    assert relative_error(with_weights_of(theirs, LayerNorm(channels, epsilon))(x), theirs(torch.from_numpy(x))) <= 2e-6


def test_statistics_far_from_zero_are_two_pass():
    x = jnp.asarray(1000 + _normal(4, 256))
    exact = np.asarray(x, np.float64)
    exact = (exact - exact.mean(-1, keepdims=True)) / exact.std(-1, keepdims=True)
    np.testing.assert_allclose(normalize(x, (-1,), 0.0), exact, atol=2e-4)


def test_normalising_narrow_numbers_is_done_in_float32():
    x = (1e4 + 100 * jnp.asarray(_normal(2, 4096))).astype(jnp.bfloat16)
    wide = x.astype(jnp.float32)
    result = normalize(x, (-1,), 1e-5)
    assert result.dtype == jnp.float32
    np.testing.assert_array_equal(result, normalize(wide, (-1,), 1e-5))


@pytest.mark.parametrize("mean", [0, 1, 10, 30, 100])
def test_one_pass_is_closer_than_bfloat16_rounds(mean):
    x = jnp.asarray(mean + np.random.default_rng(0).normal(size=(2, 4096, 8, 10))).astype(jnp.bfloat16)
    wide = np.asarray(x, np.float64)
    exact = (wide - wide.mean((1, 3), keepdims=True)) / np.sqrt(wide.var((1, 3), keepdims=True) + 1e-5)
    error = np.abs(normalize_in_one_pass(x, (1, 3), 1e-5) - exact).max() / np.abs(exact).max()
    assert error < {0: 1e-6, 1: 1e-6, 10: 1e-4, 30: 1e-3, 100: 4e-3}[mean]


@pytest.mark.parametrize(("dtype", "once"), [(jnp.bfloat16, {"cuda"}), (jnp.float16, {"cuda"}), (jnp.float32, set())])
def test_narrow_numbers_are_read_once_for_their_statistics_on_cuda(dtype, once):
    norm = bind(GroupNorm(2, 8, 1e-5), {"weight": jnp.ones(8), "bias": jnp.ones(8)})
    traced = jax.jit(norm.__call__).trace(jnp.ones((1, 4, 8), dtype))
    texts = {name: traced.lower(lowering_platforms=(name,)).as_text() for name in ("cpu", "cuda", "tpu")}
    # Only the variance in one pass can come out negative.
    assert {name for name, text in texts.items() if "stablehlo.maximum" in text} == once


def test_only_narrow_numbers_are_normalised_in_one_pass():
    norm = bind(GroupNorm(1, 4, 1e-5), {"weight": jnp.ones(4), "bias": jnp.zeros(4)})
    x = jnp.asarray(1000 + _normal(1, 64, 4))
    exact = np.asarray(x, np.float64)
    np.testing.assert_allclose(norm(x), (exact - exact.mean()) / exact.std(), atol=3e-4)


def test_equal_numbers_are_normalised_to_zero_in_one_pass():
    assert np.abs(normalize_in_one_pass(jnp.full((1, 999), 3.3, jnp.bfloat16), (-1,), 1e-5)).max() < 0.02


@pytest.mark.parametrize("layer", [GroupNorm(2, 512, 1e-5), LayerNorm(512)], ids=["group norm", "layer norm"])
def test_norms_of_bfloat16_take_their_statistics_in_float32(layer):
    # Numbers near 256, where bfloat16 knows only multiples of 2: its own mean and variance would be far off.
    x = jnp.asarray(256 + 16 * _normal(2, 9, 512)).astype(jnp.bfloat16)
    axes = -1 if isinstance(layer, LayerNorm) else (1, 3)
    wide = np.asarray(x, np.float64).reshape((2, 9, 512) if isinstance(layer, LayerNorm) else (2, 9, 2, 256))
    exact = (wide - wide.mean(axes, keepdims=True)) / wide.std(axes, keepdims=True)
    result = bind(layer, {"weight": jnp.ones(512), "bias": jnp.zeros(512)})(x)
    # Rounded once, at the end: to 8 bits.
    np.testing.assert_allclose(np.asarray(result, np.float64), exact.reshape(2, 9, 512), rtol=2**-8, atol=2e-4)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (Linear(8, 4), (3, 8)),
        (Conv(8, 4, (3, 3)), (1, 2, 2, 8)),
        (GroupNorm(2, 8, 1e-5), (1, 3, 8)),
        (LayerNorm(8), (3, 8)),
    ],
    ids=["linear", "convolution", "group norm", "layer norm"],
)
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16, jnp.float32])
def test_a_layer_answers_in_the_dtype_of_its_input(layer, shape, dtype):
    weights = {name: jnp.ones(spec.shape) for name, spec in parameter_specs(layer).items()}
    y = bind(layer, weights)(jnp.ones(shape, dtype))
    assert y.dtype == dtype


def test_building_a_layer_allocates_nothing():
    before = len(jax.live_arrays())
    layer = Linear(10**6, 10**6)
    assert len(jax.live_arrays()) == before
    assert parameter_specs(layer)["weight"].shape == (10**6, 10**6)
