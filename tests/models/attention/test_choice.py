import jax.numpy as jnp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvs_jax.models.attention import assuming_cudnn, choose_backend
from nvs_jax.models.attention.choice import LONG, MAX_SCORES, MOST_BLOCKS
from nvs_jax.models.attention.library import cudnn_version, runs_cudnn

SPATIAL = (50, 9216, 5, 64)  # the UNet's finest level, both branches of 25 frames at 576x1024
TEMPORAL = (2 * 9216, 25, 5, 64)
VAE = (8, 9216, 1, 512)  # eight frames decoded together


@pytest.mark.parametrize(
    ("shape", "dtype", "cpu", "tpu", "cuda"),
    [
        (SPATIAL, jnp.bfloat16, "chunked", "splash", "cudnn"),
        (SPATIAL, jnp.float16, "chunked", "chunked", "cudnn"),
        (SPATIAL, jnp.float32, "chunked", "chunked", "chunked"),
        (TEMPORAL, jnp.bfloat16, "xla", "xla", "xla"),
        (VAE, jnp.float32, "chunked", "chunked", "chunked"),
        (VAE, jnp.bfloat16, "chunked", "chunked", "chunked"),
        ((1, LONG, 1, 12), jnp.bfloat16, "xla", "splash", "xla"),
        ((1, LONG - 1, 1, 64), jnp.bfloat16, "xla", "xla", "xla"),
    ],
)
def test_the_rule(shape, dtype, cpu, tpu, cuda):
    chosen = [choose_backend(shape, shape[1], dtype, platform) for platform in ("cpu", "tpu", "cuda")]
    assert chosen == [cpu, tpu, cuda]


@pytest.mark.parametrize(
    ("length", "faulty", "sound"),
    [
        (9216, "cudnn", "cudnn"),
        (2304, "cudnn", "cudnn"),
        (576, "xla", "cudnn"),
        (25, "xla", "cudnn"),
        (14, "xla", "xla"),
    ],
)
def test_short_or_uneven_sequences_wait_for_a_cudnn_without_the_fault(length, faulty, sound):
    shape = (4, length, 5, 64)
    versions = ((9, 15, 0, 57), (9, 15, 1))
    chosen = [choose_backend(shape, length, jnp.bfloat16, "cuda", version) for version in versions]
    assert chosen == [faulty, sound]


def test_cudnn_is_not_given_more_batch_elements_than_its_grid_has():
    shapes = [(most, 25, 5, 64) for most in (MOST_BLOCKS, MOST_BLOCKS + 1)]
    assert [choose_backend(shape, 25, jnp.bfloat16, "cuda", (9, 20, 0)) for shape in shapes] == ["cudnn", "xla"]


def test_programs_made_for_an_absent_gpu_are_made_for_the_version_said():
    assert not runs_cudnn()
    with assuming_cudnn((9, 20, 0)):
        assert runs_cudnn()
        assert cudnn_version() == (9, 20, 0)
    assert not runs_cudnn()


@pytest.mark.parametrize("platform", ["cpu", "tpu", "cuda"])
def test_few_queries_or_few_keys_need_no_kernel(platform):
    assert choose_backend((2, 9216, 5, 64), 3, jnp.bfloat16, platform) == "xla"
    assert choose_backend((2, 3, 5, 64), 9216, jnp.bfloat16, platform) == "xla"


def test_auto_takes_chunks_exactly_above_the_limit():
    assert choose_backend((1, MAX_SCORES // 2, 1, 4), 2, jnp.float32, "cpu") == "xla"
    assert choose_backend((1, MAX_SCORES // 2 + 1, 1, 4), 2, jnp.float32, "cpu") == "chunked"


@given(
    st.tuples(*[st.integers(1, 20_000)] * 2, st.integers(1, 40), st.integers(1, 600)),
    st.integers(1, 20_000),
    st.sampled_from(["float32", "bfloat16", "float16"]),
    st.sampled_from(["cpu", "tpu", "cuda", "rocm"]),
    st.sampled_from([(0, 0, 0), (9, 15, 0), (9, 20, 0)]),
)
def test_whatever_the_shape_the_choice_can_run(shape, key_length, dtype, platform, version):
    match choose_backend(shape, key_length, dtype, platform, version):
        case "splash":
            assert platform == "tpu"
            assert dtype == "bfloat16"
        case "cudnn":
            assert platform == "cuda"
            assert dtype != "float32"
            assert shape[-1] <= 128
            assert shape[-1] % 8 == 0
        case "xla":
            assert shape[0] * shape[1] * shape[2] * key_length <= MAX_SCORES
