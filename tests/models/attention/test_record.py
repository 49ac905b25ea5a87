import jax
import jax.numpy as jnp

from nvs_jax.models.attention import attention, used_backends


def test_what_was_traced_is_named_with_its_platforms_back_end():
    shape = jax.ShapeDtypeStruct((3, 640, 2, 40), jnp.bfloat16)
    name = "640x640, 2x40, bfloat16, in batches of 3"
    assert name not in used_backends("cpu")
    jax.eval_shape(attention, shape, shape, shape)
    assert [used_backends(platform)[name] for platform in ("cpu", "tpu", "cuda")] == ["xla", "splash", "cudnn"]


def test_a_back_end_asked_for_by_name_is_the_one_named():
    shape = jax.ShapeDtypeStruct((3, 523, 2, 40), jnp.bfloat16)
    jax.eval_shape(lambda *qkv: attention(*qkv, backend="chunked"), shape, shape, shape)
    assert used_backends("tpu")["523x523, 2x40, bfloat16, in batches of 3"] == "chunked"
