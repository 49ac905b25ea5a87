import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nvs_jax.models.attention import attention, choice, choose_backend
from tests.models.attention.qkv import formula, quickly, random_qkv, with_gradients

LONG = jax.ShapeDtypeStruct((1, 1024, 1, 64), jnp.bfloat16)


def _lowered(platform: str, function=attention, *shapes) -> str:
    """The program for a platform that need not be here."""
    shapes = shapes or (LONG, LONG, LONG)
    return jax.jit(function).trace(*shapes).lower(lowering_platforms=(platform,)).as_text()


@pytest.mark.parametrize("backend", ["auto", "xla", "chunked"])
@pytest.mark.parametrize("sizes", [(2, 7, 7, 3, 4), (1, 5, 9, 1, 8), (3, 4, 1, 2, 5)])
def test_every_back_end_of_any_device_is_the_formula(backend, sizes):
    qkv = random_qkv(*sizes)
    np.testing.assert_allclose(attention(*qkv, backend=backend), formula(*qkv), atol=2e-6)


@pytest.mark.parametrize("backend", ["auto", "xla", "chunked"])
def test_float64_is_float64_throughout(backend):
    """So that differences say something of gradients."""
    with jax.enable_x64(True):
        qkv = [jnp.asarray(x, jnp.float64) for x in random_qkv(2, 5, 9, 3, 8)]
        np.testing.assert_allclose(attention(*qkv, backend=backend), formula(*qkv), atol=1e-14)


@pytest.mark.parametrize("backend", ["xla", "chunked"])
def test_the_softmax_is_float32_for_bfloat16(backend):
    # Scores 128 and 128.5, which bfloat16 cannot tell apart.
    query = jnp.array([16, 1, 0, 0], jnp.bfloat16).reshape(1, 1, 1, 4)
    key = jnp.array([[16, 0, 0, 0], [16, 1, 0, 0]], jnp.bfloat16).reshape(1, 2, 1, 4)
    value = jnp.array([[0] * 4, [1] * 4], jnp.bfloat16).reshape(1, 2, 1, 4)
    result = attention(query, key, value, backend=backend)
    assert result.dtype == jnp.bfloat16
    np.testing.assert_allclose(np.asarray(result, np.float32), 1 / (1 + np.exp(-0.5)), rtol=2**-8)


@pytest.mark.parametrize("backend", ["xla", "chunked"])
@pytest.mark.parametrize("dtype", [jnp.bfloat16, jnp.float16])
def test_narrow_numbers_are_rounded_once(backend, dtype):
    qkv = random_qkv(2, 5, 9, 1, 8, dtype)
    result = attention(*qkv, backend=backend)
    assert result.dtype == dtype
    exact = formula(*(np.asarray(x, np.float64) for x in qkv))
    # Half a unit in the last place of the result, and as much of bfloat16's probabilities.
    np.testing.assert_allclose(np.asarray(result, np.float64), exact, atol=2 * float(jnp.finfo(dtype).eps))


def test_a_program_holds_only_its_own_platforms_back_end():
    assert choose_backend(LONG.shape, 1024, LONG.dtype, "tpu") == "splash"
    tpu, cpu = _lowered("tpu"), _lowered("cpu")
    assert "tpu_custom_call" in tpu
    assert "stablehlo.exponential" not in tpu
    assert "tpu_custom_call" not in cpu
    assert "stablehlo.exponential" in cpu
    # What is left of the choice, a case with one branch, is gone once compiled.
    compiled = jax.jit(attention).lower(LONG, LONG, LONG).compile().as_text()
    assert compiled
    assert " conditional(" not in compiled


def test_gradients_too_hold_only_their_own_platforms_back_end(monkeypatch):
    # Elsewhere in chunks, of which nothing as large as the scores is kept.
    monkeypatch.setattr(choice, "MAX_SCORES", 1)

    def loss(query, key, value):
        return attention(query, key, value).astype(jnp.float32).sum()

    tpu, cpu = (_lowered(platform, jax.grad(loss, (0, 1, 2)), LONG, LONG, LONG) for platform in ("tpu", "cpu"))
    assert tpu.count("tpu_custom_call") >= 3
    assert "1024x1024" not in tpu
    assert "tpu_custom_call" not in cpu


def test_what_several_platforms_choose_between_runs_and_differentiates_here():
    qkv = random_qkv(1, 512, 512, 1, 8, jnp.bfloat16)
    assert choose_backend(qkv[0].shape, 512, jnp.bfloat16, "tpu") == "splash"
    for auto, whole in zip(quickly(with_gradients(attention), qkv), quickly(with_gradients(_whole), qkv), strict=True):
        np.testing.assert_array_equal(auto, whole)


def _whole(*qkv: jax.Array) -> jax.Array:
    return attention(*qkv, backend="xla")


def test_vmap_goes_through_the_choice():
    query, key, value = random_qkv(2, 512, 512, 1, 8, jnp.bfloat16)
    one_by_one = jax.jit(jax.vmap(lambda q, k, v: attention(q[None], k[None], v[None])[0]))(query, key, value)
    whole = attention(query, key, value, backend="xla")
    np.testing.assert_allclose(np.asarray(one_by_one, np.float32), np.asarray(whole, np.float32), atol=2**-8)
