"""Resizing against PyTorch's `interpolate`."""

from typing import get_args

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nvs_jax.models.depth.resampling import Kind, resize
from tests.models.comparing import relative_error
from tests.models.svd.torch_parity import channels_first, channels_last

LENGTHS = st.integers(1, 40)


@pytest.mark.parametrize("kind", get_args(Kind))
@settings(max_examples=40)
@given(LENGTHS, LENGTHS, LENGTHS, LENGTHS)
def test_it_agrees_with_pytorch(kind: Kind, height: int, width: int, rows: int, columns: int):
    x = np.random.default_rng(0).standard_normal((2, height, width, 3)).astype(np.float32)
    theirs = torch.nn.functional.interpolate(
        channels_first(x), size=(rows, columns), mode=kind, align_corners=kind == "bilinear"
    )
    # Positions up to 40 in float32.
    assert relative_error(resize(x, (rows, columns), kind), channels_last(theirs)) < 1e-5


@pytest.mark.parametrize("kind", get_args(Kind))
def test_the_same_in_jax_and_in_numpy(kind: Kind):
    x = np.random.default_rng(0).standard_normal((1, 9, 7, 2)).astype(np.float32)
    assert relative_error(resize(jnp.asarray(x), (20, 5), kind), resize(x, (20, 5), kind)) < 1e-6
    assert resize(x, (20, 5), kind).dtype == np.float32
    assert resize(x, (9, 7), kind) is x
