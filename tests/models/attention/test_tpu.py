"""The TPU's kernel, interpreted step by step."""

import subprocess
import sys
from functools import partial

import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.models.attention.library import whole
from nvs_jax.models.attention.tpu import splash
from tests.models.attention.qkv import quickly, random_qkv, with_gradients

interpreted = partial(splash, interpret=True)


@pytest.mark.parametrize(
    "sizes",
    [(1, 128, 256, 2, 64), (2, 130, 900, 1, 8)],
    ids=["whole blocks", "padded, two blocks of keys"],
)
def test_the_kernel_is_the_formula_and_so_are_its_gradients(sizes):
    qkv = random_qkv(*sizes)
    results, expected = (quickly(with_gradients(attend), qkv) for attend in (interpreted, whole))
    for ours, theirs in zip(results, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_padding_is_not_attended_to():
    query, key, value = random_qkv(1, 3, 5, 1, 8)
    # Against these queries the zeros of the padding would score far above every key.
    result = quickly(interpreted, (10 + 0 * query, -10 + 0 * key, value))
    np.testing.assert_allclose(result, jnp.broadcast_to(value.mean(1, keepdims=True), query.shape), atol=1e-6)


def test_bfloat16_is_rounded_once():
    qkv = random_qkv(1, 128, 128, 1, 64, jnp.bfloat16)
    result = quickly(interpreted, qkv)
    assert result.dtype == jnp.bfloat16
    exact = whole(*(x.astype(jnp.float32) for x in qkv))
    np.testing.assert_allclose(np.asarray(result, np.float32), exact, rtol=2**-8, atol=1e-3)


def test_programs_made_before_are_not_made_again():
    """With JAX 0.11 the first import of Pallas makes every later call of a program one that JAX has not seen."""
    code = """
import jax, jax.numpy as jnp
from nvs_jax.models.attention import attention
made = []
program = jax.jit(lambda x: made.append(x) or x)
program(1.0)
long = jax.ShapeDtypeStruct((1, 4096, 2, 64), jnp.bfloat16)
jax.eval_shape(attention, long, long, long)
program(1.0)
print(len(made))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "1\n"
