import math
import time

import ml_dtypes
import numpy as np
import pytest

from nvs_jax.models.layers import Linear
from nvs_jax.models.stacked import Stacked
from nvs_jax.models.svd.build import build
from nvs_jax.models.weights import parameter_specs
from scripts.accelerator.families import model_and_request
from scripts.accelerator.sizes import FULL, SMALL, TOY
from scripts.accelerator.weights import draw, quick_weights, scaled


def test_halving_by_the_exponent_is_exact():
    bits, _ = draw(10_000)
    values = bits.view(ml_dtypes.bfloat16).astype(np.float64)
    for halvings in (0, 1, 12):
        assert np.array_equal(scaled(bits, halvings).view(ml_dtypes.bfloat16).astype(np.float64), values / 2**halvings)


def test_no_number_is_zero_or_denormal_however_often_halved():
    for bits in draw(2**20):
        halved = np.abs(scaled(bits, 80).view(ml_dtypes.bfloat16).astype(np.float64))
        assert halved.min() >= 2.0**-100
        assert halved.max() < 8 * 2.0**-80


def test_both_draws_have_their_variance():
    one, half = (bits.view(ml_dtypes.bfloat16).astype(np.float64) for bits in draw(100_000))
    assert abs(one.std() - 1) < 0.02  # a hundred thousand numbers, rounded to 8 bits
    assert abs(half.std() - 0.5**0.5) < 0.02


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_signals_keep_their_size_in_every_layer(dtype):
    module = build(SMALL.unet)
    weights, specs = quick_weights(module, dtype, draw(2**16)), parameter_specs(module)
    assert {name: value.shape for name, value in weights.items()} == {name: spec.shape for name, spec in specs.items()}
    for name, value in weights.items():
        assert value.dtype == dtype
        if value.ndim > 1:
            gain = np.asarray(value, np.float64).std() * math.prod(value.shape[:-1]) ** 0.5
            # A power of two is off by at most 2^(1/4); a layer of few numbers by chance.
            assert 0.75 < gain < 1.35 or value.size < 1000, name
        else:
            assert set(np.asarray(value, np.float32)) == {float("norm" in name and name.endswith("weight"))}


def test_layers_of_a_stack_have_one_layers_numbers_each():
    weights = quick_weights(Stacked(Linear(64, 64), 8), "float32", draw(2**16))["each.weight"]
    assert weights.shape == (8, 64, 64)
    assert (weights == weights[0]).all()
    assert np.asarray(weights[0]).std() == pytest.approx(1 / 8, rel=0.05)  # 4,096 numbers


def test_gains_are_ones_whatever_their_axes():
    weights = quick_weights(model_and_request("wan2_1_t2v_1_3b", TOY)[0].module("vae"), "float32", draw(2**16))
    gains = {name: value for name, value in weights.items() if name.endswith("gamma")}
    assert {value.ndim for value in gains.values()} == {3, 4}  # of a frame's cells, and of a video's
    assert all((value == 1).all() for value in gains.values())


def test_parameters_differ_and_a_small_tile_is_repeated():
    weights = quick_weights(build(SMALL.unet), "bfloat16", draw(1000))
    first, second = (
        np.asarray(weights[f"down_blocks.0.resnets.0.spatial_res_block.conv{i}.weight"], np.float32) for i in (1, 2)
    )
    assert first.shape == second.shape
    assert not np.array_equal(first, second)


def test_every_parameter_at_full_size_fits_the_tile_and_its_exponents():
    """Shapes alone: nothing is drawn."""
    for config in (FULL.networks.unet, FULL.networks.vae, FULL.networks.image_encoder):
        shapes = [spec.shape for spec in parameter_specs(build(config)).values() if len(spec.shape) > 1]
        assert max(map(math.prod, shapes)) <= FULL.tile
        assert max(math.log2(math.prod(shape[:-1])) for shape in shapes) / 2 < 80


@pytest.mark.full
def test_full_size_takes_seconds():
    begun = time.perf_counter()
    tile = draw(FULL.tile)
    weights = quick_weights(build(FULL.networks.unet), "bfloat16", tile)
    seconds = time.perf_counter() - begun
    print(f"{sum(value.size for value in weights.values()):,} numbers in {seconds:.1f} s")
    assert sum(value.size for value in weights.values()) == 1_524_623_082
