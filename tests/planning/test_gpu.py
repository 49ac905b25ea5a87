"""Programs traced for an H100 that is not there."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

from nvs_jax.errors import InputError
from nvs_jax.models.attention import attention, used_backends
from nvs_jax.planning.gpu import as_if_on_h100, can_compile_for_gpu, h100
from tests.models.svd.jaxprs import equations


# Odd lengths have no backward pass of cuDNN's, which refuses them while it is traced.
@pytest.mark.parametrize("length", [25, 26, 577])
def test_attention_of_any_length_is_cudnns_and_has_a_gradient(length):
    shape = jax.ShapeDtypeStruct((2, length, 3, 64), jnp.bfloat16)
    with as_if_on_h100():
        program = jax.make_jaxpr(jax.grad(lambda *qkv: attention(*qkv).sum(), argnums=(0, 1, 2)))(shape, shape, shape)
        assert used_backends()[f"{length}x{length}, 3x64, bfloat16, in batches of 2"] == "cudnn"
    primitives = {equation.primitive.name for equation in equations(program.jaxpr)}
    assert "dot_product_attention_fwd_wrapper" in primitives or "dot_product_attention_fwd" in primitives
    avals: list[Any] = [out.aval for out in program.jaxpr.outvars]
    assert [aval.shape for aval in avals] == [shape.shape] * 3


def test_without_the_compiler_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setattr("nvs_jax.planning.gpu.can_compile_for_gpu", lambda: False)
    with pytest.raises(InputError, match="gpu-compiler"):
        h100()


def test_whether_it_can_compile_is_known_without_trying():
    assert isinstance(can_compile_for_gpu(), bool)
