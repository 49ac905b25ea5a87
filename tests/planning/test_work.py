"""Counting: known products, loops, branches, meshes, and the UNet of full size."""

import jax
import jax.numpy as jnp
import pytest
from jax.sharding import AbstractMesh, AxisType

from nvs_jax.models.attention import attention
from nvs_jax.planning.programs import STEPS, Model, build_program
from nvs_jax.planning.request import Request
from nvs_jax.planning.work import Work, count_work
from nvs_jax.sharding import AXES, constrain, over_batch, pad
from tests.convert.published import CONFIGS


def shape(*size, dtype=jnp.float32):
    return jax.ShapeDtypeStruct(size, dtype)


def traced(function, *arguments):
    return jax.jit(function).trace(*arguments).jaxpr


def on_mesh(function, *arguments, sizes=(2, 4, 1)):
    """The work of each chip of a mesh that need not be there."""
    mesh = AbstractMesh(sizes, AXES, axis_types=(AxisType.Auto,) * 3)
    with jax.sharding.use_abstract_mesh(mesh):
        return count_work(traced(function, *arguments), mesh.size)


def test_a_convolution():
    def convolve(x, kernel):
        return jax.lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))

    image, kernel = shape(1, 8, 12, 5), shape(3, 3, 5, 7)
    flops = 2 * (4 * 6 * 7) * (3 * 3 * 5)
    once = count_work(traced(convolve, image, kernel))
    assert once == Work(flops, 0, 4 * 3 * 3 * 5 * 7, 4 * (8 * 12 * 5 + 4 * 6 * 7))
    # Its gradient in the image takes as many products, although zeros stand between its inputs.
    both = traced(lambda x, k: jax.grad(lambda x: (convolve(x, k) ** 2).sum())(x), image, kernel)
    assert count_work(both).products == 2 * flops


@pytest.mark.parametrize("heads", [2, 24])
@pytest.mark.parametrize("backend", ["auto", "xla", "chunked"])
def test_attention_alike_in_loops_and_kernels(backend, heads):
    """Of 24 heads a slice has fewer queries than a head has channels."""
    query = shape(2, 4096 * heads // 2, heads, 64 * heads // 2, dtype=jnp.bfloat16)
    work = count_work(traced(lambda q: attention(q, q, q, backend=backend), query))
    assert work.products == 0
    size, length = query.size, query.shape[1]
    assert work.attention == pytest.approx(4 * size * length, rel=0.01)  # and padding
    # Queries, keys, values and results, once each, whether or not queries come in slices.
    assert work.activations == pytest.approx(4 * size * 2, rel=0.01)


def test_loops_turn_and_the_dearer_branch_is_taken():
    square = shape(6, 6)

    def loop(x, w):
        return jax.lax.scan(lambda x, _: (jnp.tanh(x @ w), None), x, length=5)[0]

    assert count_work(traced(loop, square, square)).products == 5 * 2 * 6**3
    assert count_work(traced(loop, square, square)).weights == 5 * 4 * 36

    def branch(x, w):
        return jax.lax.cond(x.sum() > 0, lambda: x @ w @ w, lambda: x)

    assert count_work(traced(branch, square, square)).products == 2 * 2 * 6**3


def test_padding_and_what_one_chip_does_alone():
    videos, weight = shape(2, 25, 3), shape(3, 3)
    # 25 frames on 4 chips are 7 each, of one branch.
    assert on_mesh(lambda x, w: pad(x, 1, 4) @ w, videos, weight).products == 2 * 7 * 3 * 3
    assert on_mesh(lambda x, w: over_batch(lambda x: x @ w, x), shape(50, 3), weight).products == 2 * 7 * 3 * 3


def test_exchanges_between_layouts():
    def exchange(x):
        return constrain(constrain(constrain(x, "frames"), "rows"), "frames")

    work = on_mesh(exchange, shape(2, 8, 16, 3))
    share = 4 * 2 * 8 * 16 * 3 / 8
    assert (work.exchanges, work.exchanged) == (2, 2 * share * 3 / 4)
    # One branch: its frames are on all eight.
    assert on_mesh(exchange, shape(1, 8, 16, 3)).exchanged == 2 * (share / 2) * 7 / 8
    assert on_mesh(exchange, shape(2, 8, 16, 3), sizes=(2, 1, 1)).exchanges == 0
    assert on_mesh(lambda x: constrain(constrain(x, "frames"), "frames"), shape(2, 8, 16, 3)).exchanges == 0


def test_the_unet_of_full_size():
    work = build_program("sample", Model(), Request()).work().times(1 / STEPS / 2)
    assert work.attention / 1e12 == pytest.approx(15.57, abs=0.005)
    # Counted elsewhere with cross-attention's queries and output for every location: here its one token has them once.
    # Two layers (in space and in time) in five transformers at each of three levels, and in one in the middle.
    levels = [(25 * 72 * 128, 320, 5), (25 * 36 * 64, 640, 5), (25 * 18 * 32, 1280, 5), (25 * 9 * 16, 1280, 1)]
    skipped = sum(2 * number * 4 * locations * channels**2 for locations, channels, number in levels)
    assert (work.products + skipped) / 1e12 == pytest.approx(64.37, rel=0.002)
    # Of the 1.5246 G parameters, those of products, in half precision.
    assert 0.97 < 2 * work.weights / 2 / 1_524_623_082 < 1.04


@pytest.mark.parametrize("gradient", ["skip", "full"])
def test_post_evaluates_once_more(gradient):
    model = Model(configs=tuple(CONFIGS.items()))
    dgs, post = (
        build_program("sample", model, Request(3, 64, 64, "float32", method, gradient)).work().flops
        for method in ("dgs", "post")
    )
    evaluations = 2 * post / dgs
    if gradient == "skip":
        assert evaluations == pytest.approx(3, rel=1e-4)  # frames' numbers are embedded once for both branches
    else:  # forward, forward again in the backward pass, and back
        assert 4.9 < evaluations < 5.5
